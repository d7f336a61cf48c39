/** Whether a Windows was shut down, told by its file system: on images that ntfs-3g's own programs make. */
import assert from "node:assert/strict";
import { ntfsFault } from "../../lib/formats/ntfs/state.ts";
import { run, which } from "../testbed/process.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

const MIB = 2 ** 20;
const START = MIB;
const programs = await Promise.all(["mkntfs", "ntfscp", "ntfsfix"].map(which));

/** Reads a file as a disk. */
const diskOf = (path: string, start = 0) => async (offset: number, length: number) => {
  using file = await Deno.open(path);
  const size = (await file.stat()).size, at = offset - start;
  if (at < 0 || at >= size) return start === 0 ? new Uint8Array() : new Uint8Array(length);
  await file.seek(at, Deno.SeekMode.Start);
  const bytes = new Uint8Array(Math.min(length, size - at));
  let read = 0;
  while (read < bytes.length) read += await file.read(bytes.subarray(read)) ?? bytes.length;
  return bytes;
};

/** The same behind a partition table. */
function partitioned(path: string, table: "mbr" | "gpt" | "logical") {
  const inside = diskOf(path, START), head = new Uint8Array(START), view = new DataView(head.buffer);
  view.setUint16(510, 0xaa55, true);
  const entry = (at: number, type: number, first: number) => {
    view.setUint8(at + 4, type);
    view.setUint32(at + 8, first, true);
  };
  if (table === "mbr") entry(446, 7, START / 512);
  if (table === "logical") {
    entry(446, 5, 64);
    view.setUint16(64 * 512 + 510, 0xaa55, true);
    entry(64 * 512 + 446, 7, START / 512 - 64);
    entry(64 * 512 + 462, 5, 0); // a chain that leads back
  }
  if (table === "gpt") {
    entry(446, 0xee, 1);
    head.set(new TextEncoder().encode("EFI PART"), 512);
    view.setBigUint64(512 + 72, 2n, true);
    view.setUint32(512 + 80, 4, true);
    view.setUint32(512 + 84, 128, true);
    view.setBigUint64(2 * 512 + 128, 1n, true);
    view.setBigUint64(2 * 512 + 128 + 32, BigInt(START / 512), true);
  }
  return async (offset: number, length: number) =>
    offset < START ? head.slice(offset, Math.min(START, offset + length)) : await inside(offset, length);
}

Deno.test({
  name: "ntfsFault() tells a file system that is hibernated, dirty or whole, wherever it begins",
  ignore: skippedUnless(programs.every((path) => path !== null), "ntfs-3g's programs are not installed"),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-ntfs-" });
    try {
      const image = `${folder}/ntfs.img`,
        make = async (...options: string[]) => {
          await Deno.writeFile(image, new Uint8Array());
          await Deno.truncate(image, 32 * MIB);
          await run(["mkntfs", "-q", "-F", "-f", ...options, image]);
        };
      const copyIn = async (start: string, bytes: number) => {
        const content = new Uint8Array(bytes);
        content.set(new TextEncoder().encode(start));
        await Deno.writeFile(`${folder}/hiberfil`, content);
        await run(["ntfscp", image, `${folder}/hiberfil`, "hiberfil.sys"]);
      };
      await make();
      assert.equal(await ntfsFault(diskOf(image)), undefined);
      for (const table of ["mbr", "gpt", "logical"] as const) {
        assert.equal(await ntfsFault(partitioned(image, table)), undefined, table);
      }
      await copyIn("hibr", 8192);
      assert.equal(await ntfsFault(diskOf(image)), "hibernated");
      for (const table of ["mbr", "gpt", "logical"] as const) {
        assert.equal(await ntfsFault(partitioned(image, table)), "hibernated", table);
      }
      // Windows has gone on from it.
      await make();
      await copyIn("wake", 8192);
      assert.equal(await ntfsFault(diskOf(image)), undefined);
      // With many files its folder is no longer in its record, and the file is far down the table.
      await make("-c", "512");
      for (let number = 0; number < 60; number++) {
        await Deno.writeTextFile(`${folder}/small`, `${number}`);
        await run(["ntfscp", image, `${folder}/small`, `a file with quite a long name number ${number}.txt`]);
      }
      assert.equal(await ntfsFault(diskOf(image)), undefined);
      await copyIn("HIBR", 4096);
      assert.equal(await ntfsFault(diskOf(image)), "hibernated");
      await make();
      await run(["ntfsfix", image]);
      assert.equal(await ntfsFault(diskOf(image)), "dirty");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("ntfsFault() takes whatever is no NTFS, or a damaged one, for none, and ends", async () => {
  const of = (bytes: Uint8Array) => (offset: number, length: number) =>
    Promise.resolve(bytes.slice(offset, offset + length));
  assert.equal(await ntfsFault(of(new Uint8Array())), undefined);
  assert.equal(await ntfsFault(of(new Uint8Array(MIB))), undefined);
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) & 255;
  for (let round = 0; round < 50; round++) {
    const bytes = Uint8Array.from({ length: 65_536 }, random), view = new DataView(bytes.buffer);
    view.setUint16(510, 0xaa55, true);
    bytes.set(new TextEncoder().encode("NTFS    "), 3);
    view.setUint16(11, 512, true);
    view.setUint8(13, 1);
    view.setBigUint64(48, 4n, true);
    view.setInt8(64, -10);
    for (let record = 0; record < 16; record++) {
      const at = 2048 + record * 1024;
      bytes.set(new TextEncoder().encode("FILE"), at);
      view.setUint16(at + 4, 48, true);
      view.setUint16(at + 6, 1, true);
      view.setUint16(at + 20, 56, true);
    }
    await ntfsFault(of(bytes));
  }
});
