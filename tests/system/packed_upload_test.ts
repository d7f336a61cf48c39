/** Packed files that are uploaded become what they hold, as those that are downloaded do. */
import assert from "node:assert/strict";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { CallError, type TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

/** Sends a file, or a part of it, as a new volume. */
async function send(
  server: TestServer,
  place: string,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  const [pool, rest = ""] = place.split("/");
  const [name, query = ""] = rest.split("?");
  const href = `${server.url}/api/v1/storage/pools/${pool}/volumes/${name}/content?${query}`;
  const response = await fetch(href, { method: "PUT", body, headers, ...(signal && { signal }) });
  const answer = await response.json();
  if (!response.ok) throw new CallError("upload_volume", response.status, answer);
  return answer;
}

const PROGRAMS = { gz: ["gzip"], xz: ["xz"], zst: ["zstd", "-q"], bz2: ["bzip2"] } as const;

Deno.test("a packed disk that is uploaded is unpacked, however it is called", async (t) => {
  await using pool = await testPool("packed");
  await using server = await readyServer();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const names = async () => (await call(server, "get_volumes", { pool: pool.name })).map(({ name }) => name);
  const remove = async (name: string) => {
    await call(server, "delete_volume", { pool: pool.name, volume: name });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(pool.path)), []);
  };
  try {
    const plain = `${folder}/cloud.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", plain, "64M"]);
    const noise = new Uint8Array(256 * 1024);
    for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
    await Deno.writeFile(`${folder}/noise`, noise);
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -s ${folder}/noise 1M 256k`, plain]);
    for (const [ending, program] of Object.entries(PROGRAMS)) {
      const packed = `${plain}.${ending}`;
      await run([...program, "-k", plain]);
      const bytes = await Deno.readFile(packed);
      for (const name of [`cloud.qcow2.${ending}`, "cloud.qcow2", "cloud"]) {
        await t.step(`${ending} as ${name}`, async () => {
          const answer = await send(server, `${pool.name}/${name}`, bytes);
          const becomes = name.replace(`.${ending}`, "");
          assert.deepEqual([answer.name, answer.format, answer.warnings], [becomes, "qcow2", []]);
          assert.deepEqual(await names(), [becomes], "nothing else stays");
          await run(["cmp", plain, `${pool.path}/${becomes}`]);
          await refused(send(server, `${pool.name}/${name}`, bytes), "VolumeExists");
          assert.deepEqual(await names(), [becomes]);
          await remove(becomes);
        });
      }
    }
    const xz = await Deno.readFile(`${plain}.xz`);
    const sum = (await run(["sha256sum", `${plain}.xz`])).slice(0, 64);

    await t.step("its checksum is that of the packed file, in small letters or capitals", async () => {
      for (const checksum of [sum, sum.toUpperCase()]) {
        await send(server, `${pool.name}/a.qcow2.xz?checksum=${checksum}`, xz);
        await remove("a.qcow2");
      }
      await refused(
        send(server, `${pool.name}/a.qcow2.xz?checksum=${"0".repeat(64)}`, xz),
        "ChecksumMismatch",
      );
    });

    await t.step("one that broke off goes on", async () => {
      const [half, size] = [xz.length >> 1, xz.length];
      for (const name of ["b.qcow2.xz", "b.qcow2"]) {
        const place = `${pool.name}/${name}`;
        const range = (first: number) => ({ "content-range": `bytes ${first}-${size - 1}/${size}` });
        const abort = new AbortController();
        const cut = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(xz.slice(0, half)),
          pull: () => new Promise(() => {}),
        });
        const broken = send(server, place, cut, range(0), abort.signal).catch(() => "broken");
        const state = async () => await call(server, "get_upload", { pool: pool.name, volume: name });
        await until(
          "it to begin",
          async () => (await call(server, "list_uploads", { pool: pool.name })).length === 1,
        );
        abort.abort();
        assert.equal(await broken, "broken");
        await until("it to be kept", async () => !(await state()).isRunning);
        const { offset } = await state();
        assert(offset <= half);
        const answer = await send(server, place, xz.subarray(offset), range(offset));
        assert.deepEqual([answer.name, answer.format], ["b.qcow2", "qcow2"]);
        await remove("b.qcow2");
      }
    });

    await t.step("a packed disk of another hypervisor becomes an image, too", async () => {
      await run(["qemu-img", "convert", "-O", "vmdk", plain, `${folder}/web.vmdk`]);
      await run(["gzip", `${folder}/web.vmdk`]);
      const answer = await send(
        server,
        `${pool.name}/web.vmdk.gz`,
        await Deno.readFile(`${folder}/web.vmdk.gz`),
      );
      assert.deepEqual([answer.name, answer.format], ["web.qcow2", "qcow2"]);
      await run(["qemu-img", "compare", plain, `${pool.path}/web.qcow2`]);
      await remove("web.qcow2");
    });

    await t.step("what is broken or lies leaves nothing behind", async () => {
      const broken = xz.slice();
      broken.fill(0xff, xz.length >> 1);
      await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", plain, "-F", "qcow2", `${folder}/child`]);
      await run(["gzip", `${folder}/child`]);
      const child = await Deno.readFile(`${folder}/child.gz`);
      for (const name of ["c.qcow2.xz", "c.qcow2"]) {
        await refused(send(server, `${pool.name}/${name}`, broken), "ImageUnpackFailed");
        await refused(send(server, `${pool.name}/${name}`, child), "DiskRefused", /built on another/);
        assert.deepEqual(await names(), []);
        assert.deepEqual(await Array.fromAsync(Deno.readDir(pool.path)), []);
      }
    });

    await t.step("it stays packed where that is said, and what is no disk is told", async () => {
      const kept = await send(server, `${pool.name}/d.xz?unpack=never`, xz);
      assert.deepEqual([kept.name, kept.size], ["d.xz", xz.length]);
      assert.match(JSON.stringify(kept.warnings), /StrangeContent.*packed with xz/);
      const page = new TextEncoder().encode("<!DOCTYPE html><html><body>Just a moment</body></html>");
      const answer = await send(server, `${pool.name}/virtio-win.iso`, page);
      assert.match(JSON.stringify(answer.warnings), /StrangeContent.*web page/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
