/** upload_volume and download_volume: content over HTTP, in and out, whole, in parts, refused, cancelled. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { OWN_FILE } from "../../agent/certificate/certificates.ts";
import { pemBlocks } from "../../agent/certificate/pem.ts";
import { testFolder } from "../testbed/folder.ts";
import { URI, virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { call, checkOutput, readyServer, refused } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { delay, until } from "../testbed/wait.ts";
import { trapImage } from "../testbed/trap_image.ts";

const MIB = 2 ** 20;
const GIB = 1024 * MIB;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Bytes that do not repeat. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}
const at = (server: { readonly url: string }, pool: string, name: string, query = "") =>
  `${server.url}/api/v1/pools/${pool}/volumes/${encodeURIComponent(name)}/content${query}`;

interface Answer {
  status: number;
  code?: string;
  message?: string;
  sha256?: string;
  format?: string;
  path?: string;
}
async function put(
  url: string,
  body: BodyInit,
  headers: Record<string, string> = {},
  more: { signal?: AbortSignal; client?: Deno.HttpClient } = {},
): Promise<Answer> {
  const response = await fetch(url, { method: "PUT", body, headers, ...more });
  const answer = await response.json();
  if (response.ok) checkOutput("upload_volume", answer);
  return { status: response.status, ...answer };
}

/** `mebibytes` of noise that repeats by the mebibyte, without ever having it in memory. */
function stream(mebibytes: number, pause = 0): { body: ReadableStream<Uint8Array>; sha256: () => string } {
  const piece = noise(MIB), hash = createHash("sha256");
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (sent++ === mebibytes) return controller.close();
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      hash.update(piece);
      controller.enqueue(piece.slice());
    },
  }, { highWaterMark: 0 });
  return { body, sha256: () => hash.digest("hex") };
}
const range = (first: number, size: number) => ({ "content-range": `bytes ${first}-${size - 1}/${size}` });

Deno.test("upload_volume() and download_volume() move content whole and in parts", async (t) => {
  await using server = await readyServer();
  await using pool = await testPool("content");
  await until("the pool to be known", async () => {
    return (await put(at(server, pool.name, "first.img"), "x")).status === 200;
  });
  const volumes = () => virsh("vol-list", pool.name);
  const bytes = noise(3 * MIB + 17);

  await t.step("what comes in goes out, byte for byte, with its checksum", async () => {
    const answer = await put(at(server, pool.name, "a disk.img", `?checksum=${sha256(bytes)}`), bytes);
    assert.deepEqual([answer.status, answer.sha256, answer.format], [200, sha256(bytes), "raw"]);
    assert.equal(sha256(await Deno.readFile(answer.path!)), sha256(bytes));
    const whole = await fetch(at(server, pool.name, "a disk.img"));
    assert.deepEqual([whole.status, whole.headers.get("content-length")], [200, String(bytes.length)]);
    assert.match(whole.headers.get("content-disposition")!, /^attachment; filename\*=UTF-8''a%20disk\.img$/);
    assert.equal(sha256(await whole.bytes()), sha256(bytes));
    const part = await fetch(at(server, pool.name, "a disk.img"), { headers: { range: `bytes=${MIB}-` } });
    assert.equal(part.headers.get("content-range"), `bytes ${MIB}-${bytes.length - 1}/${bytes.length}`);
    assert.deepEqual([part.status, sha256(await part.bytes())], [206, sha256(bytes.subarray(MIB))]);
    // The client has the last byte a moment before libvirt has closed its stream.
    await until(
      "the downloads to be over",
      async () => (await call(server, "list_jobs", { open: true })).length === 0,
    );
    const jobs = (await call(server, "list_jobs")).filter(({ subject }) =>
      subject === `${pool.name}/a disk.img`
    );
    assert.deepEqual(jobs.map(({ command, state, totalBytes }) => [command, state, totalBytes]), [
      ["download_volume", "done", bytes.length],
      ["download_volume", "done", bytes.length],
      ["upload_volume", "done", bytes.length],
    ]);
  });

  await t.step("an upload that breaks off goes on where it was", async () => {
    const url = at(server, pool.name, "resumed.img");
    const half = bytes.subarray(0, 2 * MIB);
    const cut = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(half.slice()),
      pull: () => new Promise(() => {}),
    });
    const abort = new AbortController();
    const broken = put(url, cut, range(0, bytes.length), { signal: abort.signal }).catch(() => "broken");
    await until("half of it to arrive", async () => {
      const [job] = await call(server, "list_jobs", { open: true });
      return job?.doneBytes === half.length;
    });
    const running = await put(url, bytes, range(0, bytes.length));
    assert.equal(running.code, "UploadRunning");
    abort.abort();
    assert.equal(await broken, "broken");
    await until("it to be kept", async () => (await call(server, "list_jobs", { open: true })).length === 0);
    const { offset, size } = await call(server, "get_upload", { pool: pool.name, name: "resumed.img" });
    assert.deepEqual([offset, size], [half.length, bytes.length]);
    const wrong = await put(url, bytes.subarray(5), range(5, bytes.length));
    assert.equal(wrong.message, `The upload goes on at byte ${offset} of ${size}. Send the rest from there.`);
    const answer = await put(url, bytes.subarray(offset), range(offset, size));
    assert.deepEqual([answer.status, answer.sha256], [200, sha256(bytes)]);
    assert.equal(sha256(await Deno.readFile(`${pool.path}/resumed.img`)), sha256(bytes));
    await refused(call(server, "get_upload", { pool: pool.name, name: "resumed.img" }), "UploadNotFound");
  });

  await t.step(
    "one that breaks off again and again, right behind what it sent, is whole in the end",
    async () => {
      const url = at(server, pool.name, "patched.img");
      const whole = new Uint8Array(30 * MIB);
      for (let from = 0; from < whole.length; from += 65_536) {
        crypto.getRandomValues(whole.subarray(from, from + 65_536));
      }
      let offset = 0;
      for (let part = 1; part <= 12; part++) {
        let from = offset;
        const end = offset + 2 * MIB + part * 12_345;
        const cut = new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            if (from >= end) {
              await delay(60); // or all of it would be lost on its way
              return controller.error(new Error("cut by the test"));
            }
            controller.enqueue(whole.slice(from, from += 100_000));
          },
        });
        assert.equal(await put(url, cut, range(offset, whole.length)).catch(() => "broken"), "broken");
        await until("what arrived to be kept", async () => {
          const open = await call(server, "list_jobs", { open: true });
          if (open.length > 0) return false;
          offset = (await call(server, "get_upload", { pool: pool.name, name: "patched.img" })).offset;
          return true;
        });
      }
      assert.ok(offset > 10 * MIB, `only ${offset} bytes arrived`);
      const answer = await put(url, whole.subarray(offset), range(offset, whole.length));
      assert.deepEqual([answer.status, answer.sha256], [200, sha256(whole)]);
      assert.equal(sha256(await Deno.readFile(`${pool.path}/patched.img`)), sha256(whole));
    },
  );

  await t.step("what may not be is refused and leaves nothing", async () => {
    const before = await volumes();
    const backed = `${filesOf(pool.name)}/backed.qcow2`;
    await trapImage(backed);
    const trap = await Deno.readFile(backed);
    const cases: [what: string, name: string, body: Uint8Array<ArrayBuffer>, code: string, query?: string][] =
      [
        ["a name that is taken", "a disk.img", bytes, "VolumeExists"],
        ["a wrong checksum", "wrong.img", bytes, "ChecksumMismatch", `?checksum=${"0".repeat(64)}`],
        ["a backing file", "trap.qcow2", trap, "DiskRefused"],
        [
          "VMDK text",
          "t.vmdk",
          new TextEncoder().encode('# Disk DescriptorFile\nRW 1 FLAT "/etc/passwd" 0'),
          "DiskRefused",
        ],
        ["a hidden file", ".hidden", bytes, "InvalidInput"],
        ["a path", "../../escape", bytes, "InvalidInput"],
        ["an unknown field", "x.img", bytes, "InvalidInput", "?mode=777"],
      ];
    for (const [what, name, body, code, query] of cases) {
      const answer = await put(at(server, pool.name, name, query), body);
      assert.equal(answer.code, code, `${what}: ${answer.message}`);
    }
    await virsh("pool-refresh", pool.name);
    assert.equal(await volumes(), before);
    assert.equal((await put(at(server, "kvmm-test-no-pool", "x"), "x")).code, "StoragePoolNotFound");
    assert.equal(
      (await fetch(at(server, pool.name, "missing")).then((r) => r.json())).code,
      "VolumeNotFound",
    );
    await refused(
      call(server, "upload_volume", { pool: pool.name, name: "x.img", size: 1 }),
      "ContentExpected",
    );
  });

  await t.step("cancelled, and broken off without being resumable: nothing is left", async () => {
    const before = await volumes();
    const { body } = stream(300, 30);
    const asked = put(at(server, pool.name, "cancelled.img"), body, range(0, 1536 * MIB));
    const job = await until("it to run", async () => {
      const [found] = await call(server, "list_jobs", { open: true });
      return (found?.doneBytes ?? 0) > MIB ? found : undefined;
    });
    await call(server, "cancel_job", { jobId: job.id });
    assert.equal((await asked.catch(() => ({ code: "JobCancelled" }))).code, "JobCancelled");
    await until(
      "it to be over",
      async () => (await call(server, "get_job", { jobId: job.id })).job.state === "cancelled",
    );
    await virsh("pool-refresh", pool.name);
    assert.equal(await volumes(), before);
  });
});

for (const scheme of ["http", "https"]) {
  Deno.test(`upload_volume() and download_volume() of 1 GiB over ${scheme} take a fraction of that in memory`, async () => {
    await using cache = await testFolder();
    // The binary's memory is what counts: it runs with limits of its own
    const binary = await buildBinary();
    await using tls = await startTlsServer({ uri: URI, binary, env: { KVMM_CACHE_DIR: cache.path } });
    const { server } = tls;
    await call(server, "get_storage_pools"); // answered when the host was read
    await using pool = await testPool("flat");
    await until("the pool to be known", async () => {
      return (await put(at(server, pool.name, "first.img"), "x")).status === 200;
    });
    const [ca] = pemBlocks(await Deno.readTextFile(`${server.dataDir}/${OWN_FILE}`), "CERTIFICATE");
    using client = Deno.createHttpClient({ caCerts: [ca!] });
    const place = at({ url: scheme === "http" ? server.url : tls.url }, pool.name, "large.img");
    const headers = { ...testerHeaders(server.url), ...range(0, GIB) };
    const before = await server.rss();
    let most = 0;
    const watch = setInterval(async () => most = Math.max(most, await server.rss()), 100);
    try {
      const { body, sha256 } = stream(GIB / MIB);
      const answer = await put(place, body, headers, { client });
      assert.deepEqual([answer.status, answer.message, answer.sha256], [200, undefined, sha256()]);
      const response = await fetch(place, { headers: testerHeaders(server.url), client });
      const hash = createHash("sha256");
      for await (const piece of response.body!) hash.update(piece);
      assert.equal(hash.digest("hex"), answer.sha256);
    } finally {
      clearInterval(watch);
    }
    console.log(
      `      resident: ${Math.round(before / MIB)} MiB before, ${Math.round(most / MIB)} MiB at most`,
    );
    // Buffers wait for the garbage collector: the sum levels off, well below the size of what was moved.
    assert.ok(most - before < GIB / 3, `it took ${Math.round((most - before) / MIB)} MiB more`);
  });
}

Deno.test({
  name: "upload_volume() checks the free space first, and leaves nothing when it runs out (fault 8)",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("small");
    await run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", pool.path]);
    try {
      await virsh("pool-refresh", pool.name);
      await until(
        "the pool to be known",
        async () => (await put(at(server, pool.name, "first.img"), "x")).status === 200,
      );
      const answer = await put(at(server, pool.name, "large.img"), noise(9 * MIB));
      assert.equal(answer.code, "DiskExceedsPool");
      assert.match(
        answer.message!,
        /^Disk size exceeds storage pool capacity \(requested: 0\.01GB, available: /,
      );
      // It fits when it begins; another takes the room meanwhile.
      const { body } = stream(7, 200);
      const asked = put(at(server, pool.name, "squeezed.img"), body, {
        "content-range": `bytes 0-${7 * MIB - 1}/${7 * MIB}`,
      });
      await until("it to begin", async () => (await call(server, "list_jobs", { open: true })).length === 1);
      await Deno.writeFile(`${pool.path}/filler`, noise(6 * MIB));
      const failed = await asked;
      assert.equal(failed.code, "UploadFailed", String(failed.message));
      assert.match(failed.message!, /No space left on device/);
      await virsh("pool-refresh", pool.name);
      assert.doesNotMatch(await virsh("vol-list", pool.name), /squeezed/);
    } finally {
      await run(["umount", "-l", pool.path]);
    }
  },
});
