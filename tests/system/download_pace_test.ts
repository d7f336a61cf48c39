/** download_volume, whose client takes its time: what it does not take stays in the file. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { testPool } from "../testbed/pool.ts";
import { knownPool, ownServer } from "../testbed/product.ts";
import { virsh } from "../testbed/libvirt.ts";
import { until } from "../testbed/wait.ts";

const MIB = 2 ** 20;
/** Bytes that one stream of libvirt downloads (ffi/transfer_worker.ts). */
const PART = 16 * MIB;
/** MiB of the volume that is not read: libvirtd would send it within a second or two. */
const LARGE = 512;
/** MiB that a download may hold: two parts, pieces under way, the worker and its connection. */
const MOST_HELD = 96;

const contentOf = (server: { readonly url: string }, pool: string, name: string) =>
  `${server.url}/api/v1/storage/pools/${pool}/volumes/${name}/content`;

/** Writes noise that repeats by the mebibyte, and something of its own at each: parts that change places are found. */
async function writeNoise(path: string, bytes: number): Promise<string> {
  const piece = new Uint8Array(MIB), hash = createHash("sha256");
  for (let at = 0; at < MIB; at += 65536) crypto.getRandomValues(piece.subarray(at, at + 65536));
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (let at = 0; at < bytes; at += MIB) {
    new DataView(piece.buffer).setUint32(0, at / MIB);
    const now = piece.subarray(0, Math.min(MIB, bytes - at));
    hash.update(now);
    for (let written = 0; written < now.length;) written += await file.write(now.subarray(written));
  }
  return hash.digest("hex");
}

/** Reads an answer to its end. @returns the checksum of what came */
async function sumOf(response: Response): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of response.body!) hash.update(bytes);
  return hash.digest("hex");
}

Deno.test("download_volume() gives all parts of a volume, whatever its size", async () => {
  await using server = await ownServer();
  await using pool = await testPool("parts");
  await knownPool(server, pool.name);
  for (const size of [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + MIB + 17]) {
    const sum = await writeNoise(`${pool.path}/a.raw`, size);
    await virsh("pool-refresh", pool.name);
    const url = contentOf(server, pool.name, "a.raw");
    assert.equal(await sumOf(await fetch(url)), sum, `${size} bytes`);
    const whole = await Deno.readFile(`${pool.path}/a.raw`);
    for (const [first, last] of [[0, PART - 1], [PART - 3, size - 1], [1, PART], [size - 1, size - 1]]) {
      if (first! > last! || last! >= size) continue;
      const answer = await fetch(url, { headers: { range: `bytes=${first}-${last}` } });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      assert.deepEqual([answer.status, bytes.length], [206, last! - first! + 1]);
      // Compared by node:assert, millions of bytes take seconds
      const isSame = Buffer.compare(bytes, whole.subarray(first, last! + 1)) === 0;
      assert.ok(isSame, `${first} to ${last} of ${size} bytes`);
    }
  }
});

Deno.test("a volume that a client does not read is not kept in memory, and is whole once it does", async () => {
  await using server = await ownServer();
  await using pool = await testPool("slow");
  await knownPool(server, pool.name);
  const sum = await writeNoise(`${pool.path}/large.raw`, LARGE * MIB);
  await virsh("pool-refresh", pool.name);
  const url = contentOf(server, pool.name, "large.raw");
  // What the first download loads stays
  await sumOf(await fetch(url, { headers: { range: "bytes=0-15" } }));
  const before = await server.rss();
  const response = await fetch(url);
  let last = 0, sameFor = 0;
  await until("the server to read ahead no more", async () => {
    const now = await server.rss();
    sameFor = Math.abs(now - last) < MIB ? sameFor + 1 : 0;
    last = now;
    assert.ok(now - before < MOST_HELD * MIB, `it has ${Math.round((now - before) / MIB)} MiB more`);
    return sameFor >= 6;
  }, { seconds: 60, every: 500 });
  assert.equal(await sumOf(response), sum);
});
