/** upload_volume and download_volume: content over HTTP, in and out, whole, in parts, refused, cancelled. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { OWN_FILE } from "../../agent/system/certificate/certificates.ts";
import { pemBlocks } from "../../agent/system/certificate/pem.ts";
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
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";

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
  `${server.url}/api/v1/storage/pools/${pool}/volumes/${encodeURIComponent(name)}/content${query}`;

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

/** Waits until a pool takes an upload. */
async function poolTakes(server: { readonly url: string }, pool: string): Promise<void> {
  let last: Answer | undefined;
  await until("the pool to take an upload", async () => {
    last = await put(at(server, pool, "first.img"), "x");
    return last.status === 200;
  }, { lastSeen: () => JSON.stringify(last) });
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
  await poolTakes(server, pool.name);
  const volumes = () => virsh("vol-list", pool.name);
  const bytes = noise(3 * MIB + 17);

  await t.step("what comes in goes out, byte for byte, with its checksum", async () => {
    const answer = await put(at(server, pool.name, "a disk.img", `?checksum=${sha256(bytes)}`), bytes);
    assert.deepEqual([answer.status, answer.sha256, answer.format], [200, sha256(bytes), "raw"]);
    assert.equal(sha256(await Deno.readFile(answer.path!)), sha256(bytes));
    const whole = await fetch(at(server, pool.name, "a disk.img"));
    assert.deepEqual([whole.status, whole.headers.get("content-length")], [200, String(bytes.length)]);
    assert.equal(
      whole.headers.get("content-disposition"),
      `attachment; filename="a disk.img"; filename*=UTF-8''a%20disk.img`,
    );
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

  await t.step("a download is done for a client that hangs up with the last byte, as curl does", async () => {
    const { authorization } = testerHeaders(server.url);
    for (const range of ["0-9", "-17", "0-", "0-9", "-17", "0-"]) {
      const headers = ["-H", `authorization: ${authorization}`, "-H", `range: bytes=${range}`];
      await run(["curl", "-sf", "-o", "/dev/null", ...headers, at(server, pool.name, "a disk.img")]);
    }
    await until(
      "the downloads to be over",
      async () => (await call(server, "list_jobs", { open: true })).length === 0,
    );
    const jobs = (await call(server, "list_jobs")).filter(({ subject, command }) =>
      subject === `${pool.name}/a disk.img` && command === "download_volume"
    );
    assert.deepEqual(jobs.slice(0, 6).map(({ state }) => state), Array(6).fill("done"));
  });

  await t.step("a part, a head and an ETag are what they say", async () => {
    const url = at(server, pool.name, "a disk.img");
    const get = (headers: Record<string, string>, method = "GET") => fetch(url, { method, headers });
    const part = await get({ range: "bytes=100-199" });
    assert.deepEqual(
      [part.status, part.headers.get("content-range"), part.headers.get("content-length")],
      [206, `bytes 100-199/${bytes.length}`, "100"],
    );
    assert.deepEqual(await part.bytes(), bytes.slice(100, 200));
    assert.deepEqual(await (await get({ range: "bytes=-17" })).bytes(), bytes.slice(-17));
    const beyond = await get({ range: `bytes=${bytes.length}-` });
    assert.deepEqual(
      [beyond.status, beyond.headers.get("content-range"), (await beyond.json()).code],
      [416, `bytes */${bytes.length}`, "RangeNotSatisfiable"],
    );

    const tag = part.headers.get("etag")!;
    assert.match(tag, /^"[^"]+"$/);
    assert.equal((await get({ "if-none-match": tag })).status, 304);
    const rest = { range: `bytes=${MIB}-`, "if-range": tag };
    assert.equal(sha256(await (await get(rest)).bytes()), sha256(bytes.subarray(MIB)));

    const head = await get({ range: "bytes=0-9" }, "HEAD");
    assert.deepEqual(
      [head.status, head.headers.get("content-length"), head.headers.get("etag"), await head.text()],
      [200, String(bytes.length), tag, ""],
    );
    await until(
      "no head to leave a download behind",
      async () => (await call(server, "list_jobs", { open: true })).length === 0,
    );

    // Changed in its middle, with its size as before: the old beginning does not go with the new rest.
    using file = await Deno.open(`${pool.path}/a disk.img`, { write: true });
    await file.write(new Uint8Array(1));
    const changed = await get(rest);
    assert.deepEqual([changed.status, (await changed.bytes()).length], [200, bytes.length]);
    assert.notEqual(changed.headers.get("etag"), tag);
    const refused = await get({ "if-match": tag });
    assert.deepEqual([refused.status, (await refused.json()).code], [412, "PreconditionFailed"]);
  });

  await t.step("a form or a coded body does not become a volume, and does no command", async () => {
    const before = await volumes();
    const form = new FormData();
    form.set("file", new File([bytes], "disk.img"));
    const packed = await new Response(
      new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")),
    ).bytes();
    const url = at(server, pool.name, "wrapped.img");
    const inForm = await put(url, form);
    assert.deepEqual([inForm.status, inForm.code], [415, "FileExpected"]);
    assert.match(inForm.message!, /a form \(multipart\/form-data\).*curl -T FILE/);
    const inGzip = await fetch(url, { method: "PUT", body: packed, headers: { "content-encoding": "gzip" } });
    assert.deepEqual([inGzip.status, inGzip.headers.get("accept-encoding")], [415, "identity"]);
    assert.equal((await inGzip.json()).code, "EncodedBody");
    const command = await fetch(`${server.url}/api/v1/commands/get_vms`, {
      method: "POST",
      body: packed.slice(0, 100),
      headers: { "content-encoding": "gzip", "content-type": "application/json" },
    });
    assert.deepEqual([command.status, (await command.json()).code], [415, "EncodedBody"]);
    await virsh("pool-refresh", pool.name);
    assert.equal(await volumes(), before);
    const identity = await put(url, "x", { "content-encoding": "identity" });
    assert.deepEqual([identity.status, identity.code], [200, undefined]);
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
    const state = () => call(server, "get_upload", { pool: pool.name, volume: "resumed.img" });
    assert.equal((await state()).isRunning, true);
    abort.abort();
    assert.equal(await broken, "broken");
    await until("it to be kept", async () => (await call(server, "list_jobs", { open: true })).length === 0);
    const { offset, size, isRunning } = await state();
    assert.deepEqual([offset, size, isRunning], [half.length, bytes.length, false]);
    const wrong = await put(url, bytes.subarray(5), range(5, bytes.length));
    assert.equal(wrong.message, `The upload goes on at byte ${offset} of ${size}. Send the rest from there.`);
    const answer = await put(url, bytes.subarray(offset), range(offset, size));
    assert.deepEqual([answer.status, answer.sha256], [200, sha256(bytes)]);
    assert.equal(sha256(await Deno.readFile(`${pool.path}/resumed.img`)), sha256(bytes));
    await refused(state(), "UploadNotFound");
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
          // A busy server may not have begun yet.
          const [kept] = await call(server, "list_uploads", { pool: pool.name });
          if (kept === undefined || kept.isRunning) return false;
          offset = kept.offset;
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
      call(server, "upload_volume", { pool: pool.name, volume: "x.img", size: 1 }),
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

Deno.test("upload_volume() bounds what broke off: no worker for each, no more than 8 of one caller", async () => {
  await using server = await readyServer();
  await using pool = await testPool("broken");
  await poolTakes(server, pool.name);
  const size = 4 * MIB, bytes = noise(size);
  const uploads = async () =>
    (await call(server, "list_jobs", { open: true })).filter(({ command }) => command === "upload_volume");
  const breakOff = async (name: string) => {
    const abort = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(0, 2 * MIB)),
      pull: () => new Promise(() => {}),
    });
    const asked = put(at(server, pool.name, name), body, range(0, size), { signal: abort.signal });
    const broken = asked.catch(() => ({ code: "broken" }));
    await until(`the half of ${name} to arrive`, async () => {
      const [job] = await uploads();
      return job?.doneBytes === 2 * MIB;
    });
    abort.abort();
    assert.equal((await broken).code, "broken");
    await until("it to be kept", async () => (await uploads()).length === 0);
  };
  const threads = async () => (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/task`))).length;

  await breakOff("0.img");
  const withOne = await threads();
  for (let each = 1; each < 8; each++) await breakOff(`${each}.img`);
  // A worker has a thread or more of its own; what Deno has for reading files comes and goes.
  await until("eight uploads that wait to share one worker", async () => await threads() < withOne + 5);

  const refusedOne = await put(at(server, pool.name, "one-more.img"), bytes, range(0, size));
  assert.deepEqual([refusedOne.status, refusedOne.code], [429, "TooManyUploads"]);
  assert.match(refusedOne.message!, new RegExp(`limit 8\\): ${pool.name}/0\\.img, .*delete_upload`));

  // What waits goes on, and makes way when it is whole, begun again, or removed.
  const rest = await put(at(server, pool.name, "3.img"), bytes.subarray(2 * MIB), range(2 * MIB, size));
  assert.deepEqual([rest.status, rest.sha256], [200, sha256(bytes)]);
  const again = await put(at(server, pool.name, "4.img"), bytes, range(0, size));
  assert.deepEqual([again.status, again.sha256], [200, sha256(bytes)]);
  for (const each of [0, 1, 2, 5, 6, 7]) {
    await call(server, "delete_upload", { pool: pool.name, volume: `${each}.img` });
  }
  await refused(call(server, "delete_upload", { pool: pool.name, volume: "0.img" }), "UploadNotFound");
  await virsh("pool-refresh", pool.name);
  const left = (await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => name)).sort();
  assert.deepEqual(left, ["3.img", "4.img", "first.img"]);
  assert.equal((await put(at(server, pool.name, "one-more.img"), bytes)).status, 200);
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
    await poolTakes(server, pool.name);
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
  ignore: skippedUnlessRoot(),
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("small");
    await run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", pool.path]);
    try {
      await virsh("pool-refresh", pool.name);
      await poolTakes(server, pool.name);
      const answer = await put(at(server, pool.name, "large.img"), noise(9 * MIB));
      assert.equal(answer.code, "DiskExceedsPool");
      assert.match(
        answer.message!,
        /^Disk size exceeds storage pool capacity \(requested: 0\.00878GB, available: /,
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
