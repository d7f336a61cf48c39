/** download_image() and its kin: a real web server on loopback, real pools, virsh as the witness. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import zlib from "node:zlib";
import type { Input, Job } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, refusal, refused } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { testMachine } from "../testbed/machine.ts";
import { until } from "../testbed/wait.ts";
import { localhostCertificate } from "../testbed/tls.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";

const MIB = 2 ** 20;
const hash = (bytes: Uint8Array, algorithm = "sha256") => createHash(algorithm).update(bytes).digest("hex");
const text = (words: string) => new TextEncoder().encode(words);

/** Bytes that do not repeat. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/** Waits until a job is over. */
async function over(server: TestServer, jobId: string, seconds = 30): Promise<{ job: Job; log: string }> {
  return await until("the job to be over", async () => {
    const { job, log } = await call(server, "get_job", { jobId });
    return job.endedAt === null ? null : { job, log: log.map((line) => line.text).join("\n") };
  }, { seconds });
}

/** Downloads, and waits for the end. */
async function fetched(server: TestServer, input: Input<"download_image">) {
  const { jobId, name } = await call(server, "download_image", input);
  const { job, log } = await over(server, jobId);
  assert.equal(job.state, "done", `${job.error?.message}\n${log}`);
  return { name, log, job };
}

/** Downloads what must fail, at once or as a job. @returns code, message and log */
async function failed(server: TestServer, input: Input<"download_image">) {
  const before = new Set((await call(server, "list_jobs")).map(({ id }) => id));
  let jobId: string | undefined;
  try {
    jobId = (await server.call("download_image", input) as { jobId: string }).jobId;
  } catch (error) {
    const { code, message } = await refusal(Promise.reject(error));
    const job = (await call(server, "list_jobs")).find(({ id }) => !before.has(id));
    return { code, message, log: job === undefined ? "" : (await over(server, job.id)).log };
  }
  const { job, log } = await over(server, jobId);
  assert.equal(job.state, "failed");
  return { code: job.error!.code, message: job.error!.message, log };
}

/** A qcow2 image made by qemu-img. */
async function qcow2(folder: string, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${folder}/made.qcow2`;
  await run(["qemu-img", "create", "-q", "-f", "qcow2", ...args.slice(0, -1), path, args.at(-1)!]);
  const bytes = await Deno.readFile(path);
  await Deno.remove(path);
  return bytes;
}

/** A server that knows a pool, and may ask loopback. */
async function readyFor(pool: string, options: Parameters<typeof readyServer>[0] = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack();
  const server = undo.use(await readyServer(options));
  await knownPool(server, pool);
  await call(server, "set_image_policy", { hosts: ["127.0.0.1"] });
  undo.move();
  return server;
}

Deno.test("download_image() asks only servers that the download policy allows (threat 17)", async (t) => {
  await using pool = await testPool("images-rules");
  await using canary = new Mirror();
  await using server = await readyFor(pool.name);
  await call(server, "set_image_policy", { hosts: [] });
  const { port } = canary;
  await t.step("by default no loopback, link-local, private or wrapped address", async () => {
    const hosts = [
      "127.0.0.1",
      "localhost",
      "[::1]",
      "0.0.0.0",
      "2130706433",
      "0x7f.1",
      "[::ffff:127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::]",
      "169.254.169.254",
      "10.0.0.1",
      "192.168.122.1",
      "100.64.0.1",
      "[fd00::1]",
      "[fe80::1]",
      "224.0.0.1",
    ];
    for (const host of hosts) {
      await refused(
        call(server, "download_image", { url: `http://${host}:${port}/x.img`, pool: pool.name }),
        "DownloadTargetRefused",
        /^Downloads from .+ are not allowed: .+ An administrator can allow it in the rules for downloads\.$/,
      );
    }
    // The file of checksums is asked for as the image is.
    await refused(
      call(server, "download_image", {
        url: "http://192.0.2.1/x.img",
        checksumUrl: `http://127.0.0.1:${port}/SUMS`,
        pool: pool.name,
      }),
      "DownloadTargetRefused",
    );
  });
  await t.step("no other scheme, no login", async () => {
    for (const url of ["file:///etc/shadow", "ftp://127.0.0.1/x", "http://user:word@127.0.0.1/x", "x"]) {
      const { code, message } = await refusal(call(server, "download_image", { url, pool: pool.name }));
      assert.equal(code, "ImageUrlRefused");
      assert.doesNotMatch(message, /user:word/);
    }
  });
  await t.step("the rules are checked, and say no to the internet", async () => {
    await refused(
      call(server, "set_image_policy", { hosts: ["http://x"] }),
      "InvalidInput",
      /hosts: "http:\/\/x"/,
    );
    await call(server, "set_image_policy", { internet: false, hosts: ["10.0.0.0/8"], maxImageGb: 7 });
    const policy = await call(server, "get_image_policy");
    assert.deepEqual([policy.internet, policy.hosts, policy.maxImageGb], [false, ["10.0.0.0/8"], 7]);
    await refused(
      call(server, "download_image", { url: "http://1.1.1.1/x.img", pool: pool.name }),
      "DownloadTargetRefused",
      /1\.1\.1\.1 is on the internet, which is switched off for downloads/,
    );
  });
  await t.step("a redirect to a forbidden address is not followed", async () => {
    await call(server, "set_image_policy", { internet: true, hosts: ["127.0.0.1"] });
    await using other = new Mirror("127.0.0.2");
    const url = canary.serve("/away.img", { redirect: `${other.url}/x` });
    const { code } = await failed(server, { url, pool: pool.name });
    assert.equal(code, "DownloadTargetRefused");
    assert.deepEqual(other.requests, []);
  });
  await t.step("the rules are kept over a restart", async () => {
    const policy = await call(server, "get_image_policy");
    await server.stop();
    await using again = await readyServer({ dataDir: server.dataDir });
    assert.deepEqual(await call(again, "get_image_policy"), policy);
  });
  assert.deepEqual(canary.requests.map(({ path }) => path), ["/away.img"]);
  assert.doesNotMatch(await virsh("vol-list", pool.name), /img/);
});

Deno.test("download_image() brings an image in, checked and unpacked", async (t) => {
  await using pool = await testPool("images");
  await using mirror = new Mirror();
  await using server = await readyFor(pool.name);
  const folder = filesOf(pool.name);
  const volumes = () => virsh("vol-list", pool.name);
  const bytes = noise(3 * MIB + 17);

  await t.step("a qcow2 image, by its URL alone", async () => {
    const image = await qcow2(folder, "64M");
    const url = mirror.serve("/debian-12-genericcloud-amd64.qcow2", { body: image });
    const { name, log, job } = await fetched(server, { url, pool: pool.name });
    assert.equal(name, "debian-12-genericcloud-amd64.qcow2");
    assert.match(log, /No checksum was given/);
    assert.deepEqual([job.command, job.doneBytes, job.totalBytes], [
      "download_image",
      image.length,
      image.length,
    ]);
    assert.ok(Buffer.compare(await Deno.readFile(`${pool.path}/${name}`), image) === 0, "other content");
    assert.match(await virsh("vol-dumpxml", name, "--pool", pool.name), /<format type='qcow2'\/>/);
    const { images, unread } = await call(server, "list_images");
    const listed = images.find((each) => each.pool === pool.name && each.name === name);
    assert.deepEqual(unread.filter((each) => each.pool === pool.name), []);
    assert.deepEqual(
      [listed?.kind, listed?.format, listed?.virtualBytes, listed?.osId, listed?.usedBy, listed?.isBase],
      ["disk", "qcow2", 64 * MIB, "debian12", [], false],
    );
    await refused(
      call(server, "download_image", { url, pool: pool.name }),
      "VolumeExists",
      `Volume already exists: ${name} (storage pool ${pool.name})`,
    );
  });

  await t.step("a CD image, and who uses it", async () => {
    const iso = new Uint8Array(MIB);
    iso.set(text("\u0001CD001\u0001"), 32768);
    const url = mirror.serve("/alpine-virt-3.20.0-x86_64.iso", { body: iso });
    const { name } = await fetched(server, { url, pool: pool.name });
    await using machine = await testMachine({ purpose: "iso-user", guest: false });
    const source = `${pool.path}/${name}`;
    await virsh(
      "attach-disk",
      machine.name,
      source,
      "sda",
      "--type",
      "cdrom",
      "--mode",
      "readonly",
      "--config",
    );
    await known(server, machine.uuid);
    const listed = await until("the user to be listed", async () => {
      const { images } = await call(server, "list_images");
      const found = images.find((each) => each.name === name);
      return found && found.usedBy.length > 0 ? found : null;
    });
    assert.deepEqual([listed.kind, listed.usedBy], ["iso", [{ vmId: machine.uuid, name: machine.name }]]);
  });

  await t.step("checksums: given, published the ways there are, missing, wrong", async () => {
    const url = mirror.serve("/d/disk.img", { body: bytes });
    const sums = mirror.serve("/d/SHA256SUMS", {
      body: text(`${"0".repeat(64)}  x\n${hash(bytes)} *disk.img\n`),
    });
    const bsd = mirror.serve("/d/CHECKSUM", {
      body: text(`# disk.img: 1 bytes\nSHA512 (disk.img) = ${hash(bytes, "sha512")}\n`),
    });
    const cases: [string, Partial<Input<"download_image">>][] = [
      ["given.img", { sha256: hash(bytes).toUpperCase() }],
      ["given512.img", { sha512: hash(bytes, "sha512") }],
      ["gnu.img", { checksumUrl: sums }],
      ["bsd.img", { checksumUrl: bsd }],
    ];
    for (const [name, checksum] of cases) {
      const { log } = await fetched(server, { url, pool: pool.name, name, ...checksum });
      assert.doesNotMatch(log, /No checksum/);
      assert.equal(hash(await Deno.readFile(`${pool.path}/${name}`)), hash(bytes));
    }
    const before = await volumes();
    const wrong = await failed(server, { url, pool: pool.name, name: "wrong.img", sha256: "0".repeat(64) });
    assert.equal(
      wrong.message,
      `The image is not what was published: its sha256 is ${hash(bytes)}, expected ${
        "0".repeat(64)
      }. It was removed.`,
    );
    const other = mirror.serve("/d/other.img", { body: bytes });
    const missing = await failed(server, { url: other, pool: pool.name, checksumUrl: sums });
    assert.equal(missing.message, `${mirror.url}/d/SHA256SUMS has no checksum of other.img`);
    const absent = await failed(server, {
      url,
      pool: pool.name,
      name: "a.img",
      checksumUrl: `${mirror.url}/none`,
    });
    assert.equal(absent.message, `Failed to download image: the server says HTTP 404 (${mirror.url}/none)`);
    await refused(
      call(server, "download_image", { url, pool: pool.name, sha256: hash(bytes), checksumUrl: sums }),
      "InvalidInput",
      /give one of/,
    );
    assert.equal(await volumes(), before);
  });

  await t.step("gzip, xz, zstd and bzip2 are unpacked on the way", async () => {
    const tool = async (program: string) => {
      await Deno.writeFile(`${folder}/content`, bytes);
      const { stdout } = await new Deno.Command(program, { args: ["-c", `${folder}/content`] }).output();
      return new Uint8Array(stdout);
    };
    const packed: [string, Uint8Array<ArrayBuffer>][] = [
      ["raw.img.gz", new Uint8Array(zlib.gzipSync(bytes))],
      ["raw.img.xz", await tool("xz")],
      ["raw.img.zst", await tool("zstd")],
      ["raw.img.bz2", await tool("bzip2")],
    ];
    for (const [file, body] of packed) {
      const url = mirror.serve(`/p/${file}`, { body, isUnsized: file.endsWith("zst") });
      const { name, log } = await fetched(server, { url, pool: pool.name, sha256: hash(body) });
      assert.equal(name, "raw.img");
      assert.match(log, /Unpacking (gzip|xz|zstd|bzip2)/);
      assert.equal(hash(await Deno.readFile(`${pool.path}/${name}`)), hash(bytes), file);
      assert.match(
        await virsh("vol-info", name, "--pool", pool.name, "--bytes"),
        new RegExp(`${bytes.length}`),
      );
      await call(server, "delete_volume", { pool: pool.name, volume: name });
    }
    const [, whole] = packed[0]!;
    const kept = mirror.serve("/p/kept.gz", { body: whole });
    const { name } = await fetched(server, { url: kept, pool: pool.name, unpack: "never" });
    assert.equal(hash(await Deno.readFile(`${pool.path}/${name}`)), hash(whole));
    for (const [file, body] of packed) {
      const url = mirror.serve(`/p/half-${file}`, { body: body.slice(0, body.length >> 1) });
      assert.equal((await failed(server, { url, pool: pool.name })).code, "ImageUnpackFailed", file);
    }
    assert.doesNotMatch(await volumes(), /half/);
  });

  await t.step("a connection that breaks off is gone on with, from where it was", async () => {
    const url = mirror.serve("/cut.img", { body: bytes, etag: '"one"', cut: { after: MIB, times: 2 } });
    const { log } = await fetched(server, { url, pool: pool.name, sha256: hash(bytes) });
    assert.match(log, /At byte \d+: the connection broke off\. Trying again in 0\.5 s/);
    const ranges = mirror.asked("/cut.img").map(({ range }) => range);
    assert.equal(ranges.length, 3);
    assert.equal(ranges[0], null);
    assert.match(ranges[1]!, /^bytes=[1-9]\d*-$/);
    assert.equal(hash(await Deno.readFile(`${pool.path}/cut.img`)), hash(bytes));
  });

  await t.step("a file that is another one by then is begun again, and never mixed", async () => {
    const other = noise(2 * MIB);
    const path = "/changed.img";
    const url = mirror.serve(path, { body: bytes, etag: '"one"', cut: { after: MIB, times: 1 }, pace: 5 });
    const { jobId } = await call(server, "download_image", { url, pool: pool.name });
    mirror.serve(path, { body: other, etag: '"two"' });
    const { job, log } = await over(server, jobId);
    assert.equal(job.state, "done", log);
    assert.match(log, /Beginning again/);
    assert.equal(hash(await Deno.readFile(`${pool.path}/changed.img`)), hash(other));
  });

  await t.step("cancelled: nothing is left", async () => {
    const before = await volumes();
    const url = mirror.serve("/slow.img", { body: bytes, pace: 200 });
    const { jobId } = await call(server, "download_image", { url, pool: pool.name });
    assert.match(await volumes(), /slow\.img/);
    const { images } = await call(server, "list_images");
    assert.ok(!images.some(({ name }) => name === "slow.img"), "what is not whole is no image yet");
    await refused(call(server, "download_image", { url, pool: pool.name }), "StorageBusy");
    await call(server, "cancel_job", { jobId });
    assert.equal((await over(server, jobId)).job.state, "cancelled");
    assert.equal(await volumes(), before);
  });

  await t.step("of what the server says no to, nothing is left", async () => {
    const before = await volumes();
    const url = mirror.serve("/gone.img", { status: 410, body: text("gone") });
    assert.match((await failed(server, { url, pool: pool.name })).message, /the server says HTTP 410/);
    const closed = new Mirror();
    const nobody = `${closed.url}/x.img`;
    await closed[Symbol.asyncDispose]();
    assert.equal((await failed(server, { url: nobody, pool: pool.name })).code, "ImageFetchFailed");
    await refused(
      call(server, "download_image", { url: `${mirror.url}/`, pool: pool.name }),
      "InvalidInput",
      /Say one/,
    );
    assert.equal(await volumes(), before);
  });
});

Deno.test("download_image() from servers that take their time leaves others their downloads", async () => {
  await using pool = await testPool();
  await using mirror = new Mirror();
  await using server = await readyFor(pool.name);
  const operator = [{ role: "operator", on: { kind: "everything" } }] as const;
  const [first, second] = [
    await personWith(server, "first", [...operator]),
    await personWith(server, "second", [...operator]),
  ];
  const bytes = noise(8 * MIB);
  const slow = (name: string) => ({
    url: mirror.serve(`/${name}.img`, { body: bytes, pace: 500 }),
    pool: pool.name,
  });
  const jobs: string[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    jobs.push((await first.call("download_image", slow(name))).jobId);
  }
  await refused(
    first.call("download_image", slow("e")),
    "TooManyRequests",
    /image downloads of yours .*limit 4/,
  );
  jobs.push((await second.call("download_image", slow("f"))).jobId);
  for (const jobId of jobs) await call(server, "cancel_job", { jobId });
  for (const jobId of jobs) assert.equal((await over(server, jobId)).job.state, "cancelled");
});

Deno.test("download_image() refuses images that are traps (threats 1 to 3)", async (t) => {
  await using pool = await testPool("images-traps");
  await using mirror = new Mirror();
  await using server = await readyFor(pool.name);
  const folder = filesOf(pool.name);
  const secret = crypto.randomUUID();
  const canary = `${folder}/canary`;
  await Deno.writeTextFile(canary, secret);
  const before = await virsh("vol-list", pool.name);
  const backed = await qcow2(folder, "-u", "-b", canary, "-F", "raw", "1M");
  const json = await qcow2(
    folder,
    "-u",
    "-b",
    `json:{"driver":"file","filename":"${canary}"}`,
    "-F",
    "raw",
    "1M",
  );
  const data = await qcow2(folder, "-o", `data_file=${folder}/data.raw,data_file_raw=on`, "1M");
  const vmdk = text(
    `# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 2048 FLAT "${canary}" 0\n`,
  );
  const sparse = new Uint8Array(MIB);
  sparse.set(text("KDMV"));

  await t.step("four images that name a canary are refused, and its content is not shown", async () => {
    const traps: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
      ["backed.qcow2", backed, /built on another image/],
      ["json.qcow2", json, /no plain file/],
      ["data.qcow2", data, /data in another file/],
      ["flat.vmdk", vmdk, /VMDK description/],
      ["sparse.vmdk", sparse, /VMDK/],
    ];
    for (const [name, body, reason] of traps) {
      for (
        const [file, content] of [[name, body], [`${name}.gz`, new Uint8Array(zlib.gzipSync(body))]] as const
      ) {
        const url = mirror.serve(`/${file}`, { body: content });
        const { code, message, log } = await failed(server, { url, pool: pool.name });
        assert.equal(code, "DiskRefused", `${file}: ${message}`);
        assert.match(message, reason);
        assert.doesNotMatch(message + log, new RegExp(secret));
      }
    }
    await virsh("pool-refresh", pool.name);
    assert.equal(await virsh("vol-list", pool.name), before);
    assert.doesNotMatch(server.log(), new RegExp(secret));
  });

  await t.step("an administrator can have them kept; a machine is still not given them", async () => {
    await call(server, "set_image_policy", { linkedImages: true });
    const { name, log } = await fetched(server, { url: `${mirror.url}/backed.qcow2`, pool: pool.name });
    assert.match(log, /Kept because the rules for downloads say so: it is built on another image/);
    const check = await call(server, "check_vm_config", {
      name: "trapped",
      disks: [{ path: `${pool.name}/${name}`, format: "qcow2" }],
    });
    assert.match(check.errors.map(({ message }) => message).join(), /in no storage pool/);
    await call(server, "delete_volume", { pool: pool.name, volume: name });
    await call(server, "set_image_policy", { linkedImages: false });
  });

  await t.step("what would be huge for a guest, or becomes huge, is stopped", async () => {
    const huge = mirror.serve("/huge.qcow2", { body: await qcow2(folder, "60T") });
    const wide = await failed(server, { url: huge, pool: pool.name });
    assert.equal(wide.message, "The image is too large: a guest would see 61440 GiB, allowed are 4096");
    const bomb = mirror.serve("/bomb.raw.gz", {
      body: new Uint8Array(zlib.gzipSync(new Uint8Array(400 * MIB))),
    });
    const burst = await failed(server, { url: bomb, pool: pool.name });
    assert.equal(burst.message, "The image is too large: it unpacks to more than 250 times its size");
    assert.equal(await virsh("vol-list", pool.name), before);
  });
});

Deno.test("a VMDK, VDI, VHD or VHDX that is downloaded becomes a qcow2 image; one built on another is refused", async (t) => {
  await using pool = await testPool("images");
  await using mirror = new Mirror();
  await using server = await readyFor(pool.name);
  const folder = filesOf(pool.name), raw = `${folder}/raw`;
  const names = async () => (await call(server, "get_volumes", { pool: pool.name })).map(({ name }) => name);
  const bytes = new Uint8Array(8 * MIB);
  bytes.set(noise(2 * MIB), MIB);
  await Deno.writeFile(raw, bytes);
  const made = async (name: string, format: string, options: string) => {
    await run(["qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, raw, `${folder}/${name}`]);
    return await Deno.readFile(`${folder}/${name}`);
  };
  for (
    const [name, format, options] of [
      ["stream.vmdk", "vmdk", "subformat=streamOptimized"],
      ["box.vdi", "vdi", "static=off"],
      ["hyper.vhdx", "vhdx", "subformat=dynamic"],
      ["old.vhd", "vpc", "subformat=dynamic,force_size=on"],
    ] as const
  ) {
    await t.step(name, async () => {
      const body = await made(name, format, options), becomes = name.replace(/\.\w+$/, ".qcow2");
      const wanted = { pool: pool.name, sha256: hash(body) }, packed = new Uint8Array(zlib.gzipSync(body));
      const url = mirror.serve(`/${name}`, { body });
      const { job, log } = await fetched(server, { ...wanted, url });
      assert.match(log, new RegExp(`Converting the ${format} image to ${becomes}`));
      assert.equal(job.progress, 1);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, `${pool.path}/${becomes}`]);
      assert.deepEqual(await names(), [becomes], "nothing else stays");
      assert.equal((await failed(server, { ...wanted, url })).code, "VolumeExists");
      await call(server, "delete_volume", { pool: pool.name, volume: becomes });
      await fetched(server, { url: mirror.serve(`/${name}.gz`, { body: packed }), pool: pool.name });
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, `${pool.path}/${becomes}`]);
      await call(server, "delete_volume", { pool: pool.name, volume: becomes });
      const wrong = await failed(server, { url, pool: pool.name, sha256: "0".repeat(64) });
      assert.equal(wrong.code, "ImageChecksumMismatch");
      assert.deepEqual(await names(), []);
    });
  }
  await t.step("built on another image", async () => {
    await made("base.vmdk", "vmdk", "subformat=monolithicSparse");
    const child = `${folder}/child.vmdk`;
    await run(["qemu-img", "create", "-q", "-f", "vmdk", "-b", `${folder}/base.vmdk`, "-F", "vmdk", child]);
    const url = mirror.serve("/child.vmdk", { body: await Deno.readFile(child) });
    assert.equal((await failed(server, { url, pool: pool.name })).code, "DiskRefused");
    assert.deepEqual(await names(), []);
  });
});

Deno.test({
  name: "download_image() checks the free space, and leaves nothing when it runs out (fault 8)",
  ignore: skippedUnlessRoot(),
  fn: async () => {
    await using pool = await testPool("images-small");
    await run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", pool.path]);
    try {
      await virsh("pool-refresh", pool.name);
      await using mirror = new Mirror();
      await using server = await readyFor(pool.name);
      const large = mirror.serve("/large.img", { body: new Uint8Array(100 * MIB) });
      const early = await failed(server, { url: large, pool: pool.name });
      assert.match(
        early.message,
        /^Disk size exceeds storage pool capacity \(requested: 0\.0976GB, available: 0\.0937GB\)$/,
      );
      const packed = new Uint8Array(zlib.gzipSync(noise(120 * MIB), { level: 1 }));
      const grows = mirror.serve("/grows.img.gz", { body: packed, isUnsized: true });
      const late = await failed(server, { url: grows, pool: pool.name });
      assert.equal(late.code, "DiskExceedsPool", late.message);
      const raw = mirror.serve("/raw.img", { body: new Uint8Array(80 * MIB), pace: 5 });
      const { jobId } = await call(server, "download_image", { url: raw, pool: pool.name });
      await Deno.writeFile(`${pool.path}/filler`, new Uint8Array(60 * MIB));
      const { job } = await over(server, jobId);
      assert.match(job.error?.code ?? "", /^(ImageFetchFailed|DiskExceedsPool)$/, job.error?.message ?? "");
      await Deno.remove(`${pool.path}/filler`);
      await virsh("pool-refresh", pool.name);
      assert.doesNotMatch(await virsh("vol-list", pool.name), /img/);
    } finally {
      await run(["umount", "-l", pool.path]);
    }
  },
});

Deno.test("download_image() that a crash interrupts is told, what it left removed, and begins cleanly", async () => {
  await using pool = await testPool("images-crash");
  await using mirror = new Mirror();
  const body = noise(2 * MIB);
  const url = mirror.serve("/crash.img", { body, pace: 100 });
  const dataDir = `${filesOf(pool.name)}/data`;
  let jobId: string;
  {
    await using server = await readyFor(pool.name, { dataDir });
    ({ jobId } = await call(server, "download_image", { url, pool: pool.name }));
    await server.kill();
  }
  assert.match(await virsh("vol-list", pool.name), /crash\.img/);
  await using server = await readyFor(pool.name, { dataDir });
  const job = await until("it to be told that what it left was removed", async () => {
    const { job } = await call(server, "get_job", { jobId });
    return /Removed: .*crash\.img/.test(job.error?.message ?? "") ? job : null;
  });
  assert.deepEqual([job.state, job.error?.code], ["interrupted", "JobInterrupted"]);
  assert.doesNotMatch(await virsh("vol-list", pool.name), /crash/);
  mirror.serve("/crash.img", { body });
  await fetched(server, { url, pool: pool.name, sha256: hash(body) });
  assert.equal(hash(await Deno.readFile(`${pool.path}/crash.img`)), hash(body));
});

Deno.test("list_image_catalog() is the program's list, or the site's, from which one word downloads", async () => {
  await using pool = await testPool("images-site");
  await using mirror = new Mirror();
  const body = await qcow2(filesOf(pool.name), "8M");
  mirror.serve("/site.qcow2", { body });
  mirror.serve("/SHA256SUMS", { body: text(`${hash(body)}  site.qcow2\n`) });
  const file = `${filesOf(pool.name)}/catalog.json`;
  const image = {
    id: "site",
    name: "Site image",
    arch: "x86_64",
    url: `${mirror.url}/site.qcow2`,
    checksumUrl: `${mirror.url}/SHA256SUMS`,
    format: "qcow2",
    user: "admin",
  };
  await Deno.writeTextFile(file, JSON.stringify({ images: [image] }));
  await using server = await readyFor(pool.name, { env: { KVMM_IMAGE_CATALOG: file } });
  assert.deepEqual(await call(server, "list_image_catalog"), [image]);
  const { log, name } = await fetched(server, { catalogId: "site", pool: pool.name });
  assert.match(log, new RegExp(`Its published sha256 is ${hash(body)}`));
  assert.equal(name, "site.qcow2");
  await refused(
    call(server, "download_image", { catalogId: "none", pool: pool.name }),
    "CatalogImageNotFound",
    "The image catalogue has no image none",
  );
  await Deno.writeTextFile(file, JSON.stringify({ images: [{ ...image, url: "file:///etc/shadow" }] }));
  await refused(call(server, "list_image_catalog"), "CatalogUnusable", /catalog\.json: \/images\/0\/url/);
  await using plain = await readyServer();
  assert.ok((await call(plain, "list_image_catalog")).some(({ id }) => id === "debian-12-x86_64"));
});

Deno.test("download_image() over HTTPS holds the certificate against the host's name", async () => {
  await using pool = await testPool("images-tls");
  await using undo = new AsyncDisposableStack();
  const purpose = await testName("tls");
  undo.defer(() => removeFiles(purpose));
  const folder = filesOf(purpose);
  await Deno.mkdir(folder, { recursive: true });
  const own = `${folder}/own.pem`, key = `${folder}/own.key`;
  await localhostCertificate(key, own);
  await using mirror = new Mirror("127.0.0.1", {
    tls: { cert: await Deno.readTextFile(own), key: await Deno.readTextFile(key) },
  });
  const body = noise(MIB);
  mirror.serve("/tls.img", { body });
  await using plain = new Mirror();
  mirror.serve("/down.img", { redirect: plain.serve("/down.img", { body }) });
  {
    await using server = await readyFor(pool.name, { env: { SSL_CERT_FILE: own } });
    await call(server, "set_image_policy", { hosts: ["127.0.0.1", "::1"] });
    const url = `https://localhost:${mirror.port}`;
    await fetched(server, { url: `${url}/tls.img`, pool: pool.name, sha256: hash(body) });
    const named = await failed(server, {
      url: `https://127.0.0.1:${mirror.port}/tls.img`,
      pool: pool.name,
      name: "b",
    });
    assert.match(named.message, /certificate/i);
    const down = await failed(server, { url: `${url}/down.img`, pool: pool.name });
    assert.match(down.message, /a redirect leads from https to http/);
    await fetched(server, { url: `${url}/down.img`, pool: pool.name, sha256: hash(body) });
  }
  await using server = await readyFor(pool.name);
  const unknown = await failed(server, {
    url: `https://localhost:${mirror.port}/tls.img`,
    pool: pool.name,
    name: "c",
  });
  assert.equal(unknown.code, "ImageFetchFailed");
});
