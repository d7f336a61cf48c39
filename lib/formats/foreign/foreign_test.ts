import assert from "node:assert/strict";
import { ImageError } from "../qcow2/qcow2_header.ts";
import { type ArrivingFormat, type ImageSource, readArriving } from "./mod.ts";

const source = (bytes: Uint8Array): ImageSource => ({
  size: bytes.length,
  read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
});

/** Properties of a made-up VMDK. */
interface Vmdk {
  readonly capacity?: bigint;
  readonly grain?: bigint;
  readonly descriptionAt?: bigint;
  readonly version?: number;
  readonly tables?: number;
  readonly description?: string;
  readonly footer?: { readonly capacity: bigint };
}

const DESCRIPTION = `# Disk DescriptorFile
version=1
CID=66930ccc
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW 131072 SPARSE "disk.vmdk"
`;

function vmdk(given: Vmdk = {}): Uint8Array {
  const { capacity = 131_072n, grain = 128n, descriptionAt = 1n, version = 3, tables = 512, footer } = given;
  const bytes = new Uint8Array(64 * 512), view = new DataView(bytes.buffer);
  const head = (at: number, capacity: bigint, directory: bigint) => {
    bytes.set(new TextEncoder().encode("KDMV"), at);
    view.setUint32(at + 4, version, true);
    view.setBigUint64(at + 12, capacity, true);
    view.setBigUint64(at + 20, grain, true);
    view.setBigUint64(at + 28, descriptionAt, true);
    view.setBigUint64(at + 36, 20n, true);
    view.setUint32(at + 44, tables, true);
    view.setBigUint64(at + 56, directory, true);
  };
  head(0, capacity, footer === undefined ? 30n : 2n ** 64n - 1n);
  if (footer !== undefined) head(bytes.length - 1024, footer.capacity, 30n);
  bytes.set(new TextEncoder().encode(given.description ?? DESCRIPTION), 512);
  return bytes;
}

async function refusedFor(
  bytes: Uint8Array,
  said: ArrivingFormat | undefined,
  reason: RegExp,
): Promise<void> {
  await assert.rejects(readArriving(source(bytes), said), (error) => {
    assert(error instanceof ImageError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

Deno.test("readArriving() takes VMDK images that stand alone", async () => {
  const whole = { format: "vmdk", virtualBytes: 64 * 2 ** 20 };
  assert.deepEqual(await readArriving(source(vmdk()), "vmdk"), whole);
  assert.deepEqual(await readArriving(source(vmdk()), undefined), whole);
  assert.deepEqual(await readArriving(source(vmdk({ footer: { capacity: 131_072n } })), "vmdk"), whole);
});

Deno.test("readArriving() refuses VMDK images that name other files (threat 1, CVE-2022-47951)", async () => {
  const changed = (from: string | RegExp, to: string) => ({ description: DESCRIPTION.replace(from, to) });
  const table: [Vmdk, RegExp][] = [
    [{ capacity: 0n }, /names other files/],
    [{ descriptionAt: 5n }, /not where it belongs/],
    [{ grain: 0n }, /grains/],
    [{ grain: 100n }, /grains/],
    [{ grain: 1n << 40n }, /grains/],
    [{ tables: 0 }, /tables/],
    [{ tables: 2 ** 31 }, /tables/],
    [{ version: 4 }, /version 4/],
    [{ capacity: 2n ** 60n }, /more than any disk/],
    [{ footer: { capacity: 0n } }, /other files/],
    [{ footer: { capacity: 5n } }, /contradict/],
    [changed("streamOptimized", "monolithicFlat"), /monolithicFlat/],
    [changed(/createType.*/, ""), /unknown/],
    [changed(/createType/, 'createType="streamOptimized"\ncreateType'), /twice/],
    [changed("parentCID=ffffffff", "parentCID=12345678"), /built on another/],
    [changed("CID=66930ccc", 'parentFileNameHint="/etc/shadow"'), /built on another/],
    [changed('SPARSE "disk.vmdk"', 'FLAT "/etc/shadow" 0'), /other files/],
    [changed("disk.vmdk", "/etc/shadow"), /other files/],
    [changed(/$/, 'RW 8 SPARSE "more.vmdk"\n'), /other files/],
    [changed(/$/, 'RW 8 VMFS "more.vmdk"\n'), /other files/],
  ];
  for (const [given, reason] of table) await refusedFor(vmdk(given), "vmdk", reason);
  const alone = new TextEncoder().encode(DESCRIPTION.padEnd(1024));
  await refusedFor(alone, undefined, /names other files/);
  await refusedFor(alone, "vmdk", /no sparse/);
  await refusedFor(vmdk().subarray(0, 600), "vmdk", /built|cut|elsewhere/);
});

Deno.test("readArriving() takes no head for another format than was said (threat 2)", async () => {
  await refusedFor(vmdk(), "raw", /said to be raw, but its head is one of vmdk/);
  const qcow2 = new Uint8Array(4096);
  qcow2.set([0x51, 0x46, 0x49, 0xfb]);
  await refusedFor(qcow2, "raw", /one of qcow2/);
  await refusedFor(qcow2, "qcow2", /version 0/);
  await refusedFor(new Uint8Array(100), "raw", /empty/);
  assert.deepEqual(await readArriving(source(new Uint8Array(1024)), "raw"), {
    format: "raw",
    virtualBytes: 1024,
  });
});

Deno.test("readArriving() reads what qemu-img writes, and refuses what is built on it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const qemuImg = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command("qemu-img", { args, cwd: folder }).output();
      assert(success, new TextDecoder().decode(stderr));
    };
    for (const format of ["vmdk", "vdi", "vpc", "vhdx", "qcow2"] as const) {
      await qemuImg(
        "create",
        "-q",
        "-f",
        format,
        ...format === "vpc" ? ["-o", "force_size=on"] : [],
        `a.${format}`,
        "64M",
      );
      const found = await readArriving(source(await Deno.readFile(`${folder}/a.${format}`)), undefined);
      assert.deepEqual(found, { format, virtualBytes: 64 * 2 ** 20 });
    }
    for (const format of ["vmdk", "qcow2"] as const) {
      await qemuImg("create", "-q", "-f", format, "-b", `a.${format}`, "-F", format, `b.${format}`);
      await refusedFor(await Deno.readFile(`${folder}/b.${format}`), format, /built on another/);
    }
    await qemuImg("create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "1M");
    await refusedFor(await Deno.readFile(`${folder}/flat.vmdk`), undefined, /names other files|empty/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readArriving() refuses VDI, VHD and VHDX images with parents", async () => {
  const vdi = new Uint8Array(1024), view = new DataView(vdi.buffer);
  view.setUint32(0x40, 0xbeda107f, true);
  view.setUint32(0x44, 0x10001, true);
  view.setUint32(0x4c, 4, true);
  view.setUint32(0x178, 2 ** 20, true);
  view.setBigUint64(0x170, 2n ** 20n, true);
  await refusedFor(vdi, "vdi", /built on another/);
  view.setUint32(0x4c, 1, true);
  assert.equal((await readArriving(source(vdi), "vdi")).virtualBytes, 2 ** 20);
  view.setUint8(0x1ab, 1);
  await refusedFor(vdi, "vdi", /built on another/);
  const vhd = new Uint8Array(1024);
  vhd.set(new TextEncoder().encode("conectix"));
  new DataView(vhd.buffer).setUint32(60, 4);
  await refusedFor(vhd, "vpc", /built on another/);
});
