import assert from "node:assert/strict";
import { archiveEntries, ArchiveError, MOST_ENTRIES, type ReadAt } from "./entries.ts";
import { tarEnd, tarHead, writeTar } from "./tar.ts";

const reader = (bytes: Uint8Array): ReadAt => (offset, length) =>
  Promise.resolve(bytes.subarray(offset, offset + length));
const list = (bytes: Uint8Array, size = bytes.length) => archiveEntries(reader(bytes), size);
const entry = (name: string, text = "x") => ({ name, mode: 0o644, content: new TextEncoder().encode(text) });

/** An archive whose first head was changed, with its sum made right again. */
function changed(change: (head: Uint8Array) => void, bytes = writeTar([entry("a")])): Uint8Array {
  change(bytes);
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return bytes;
}

async function refusedFor(bytes: Uint8Array, reason: RegExp, size?: number): Promise<void> {
  await assert.rejects(list(bytes, size), (error) => {
    assert(error instanceof ArchiveError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

Deno.test("archiveEntries() tells where each file is", async () => {
  const found = await list(writeTar([entry("a b.ovf", "hello"), entry("./c.vmdk", "y".repeat(600))]));
  assert.deepEqual(found, [
    { name: "a b.ovf", offset: 512, size: 5 },
    { name: "c.vmdk", offset: 1536, size: 600 },
  ]);
});

Deno.test("archiveEntries() reads what tar writes in each of its formats", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(`${folder}/a.ovf`, "hello");
    await Deno.writeTextFile(`${folder}/b.vmdk`, "y".repeat(600));
    for (const format of ["ustar", "gnu", "pax", "oldgnu", "v7"]) {
      const args = ["-cf", "x.tar", `--format=${format}`, "a.ovf", "b.vmdk"];
      const { success } = await new Deno.Command("tar", { args, cwd: folder }).output();
      assert(success);
      const bytes = await Deno.readFile(`${folder}/x.tar`);
      const found = await list(bytes);
      assert.deepEqual(found.map(({ name, size }) => [name, size]), [["a.ovf", 5], ["b.vmdk", 600]], format);
      const { offset } = found[0]!;
      assert.equal(new TextDecoder().decode(bytes.subarray(offset, offset + 5)), "hello");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("archiveEntries() counts beyond eight gigabytes without reading them", async () => {
  const size = 20 * 2 ** 30;
  const head = tarHead({ name: "big.vmdk", mode: 0o644, size });
  const read: ReadAt = (offset, length) =>
    Promise.resolve(offset === 0 ? head : tarEnd().subarray(0, length));
  assert.deepEqual(await archiveEntries(read, size + 2048), [{ name: "big.vmdk", offset: 512, size }]);
});

Deno.test("archiveEntries() refuses what leads elsewhere, what is no file, what lies (threat 4)", async () => {
  for (const name of ["/etc/passwd", "../x", "a/b", "a\\b", "..", "a\nb", ".//x"]) {
    await refusedFor(writeTar([entry(name)]), /not allowed/);
  }
  for (const kind of ["1", "2", "3", "4", "5", "6", "S", "L", "K"]) {
    await refusedFor(changed((head) => head[156] = kind.charCodeAt(0)), /no regular file/);
  }
  await refusedFor(writeTar([entry("a"), entry("./a")]), /twice/);
  const many = Array.from({ length: MOST_ENTRIES + 1 }, (_, at) => entry(`f${at}`));
  await refusedFor(writeTar(many), /more than 128 files/);
  const whole = writeTar([entry("a", "z".repeat(600))]);
  await refusedFor(whole.slice(0, 700), /cut off/);
  await refusedFor(new Uint8Array(100), /cut off/);
  await refusedFor(changed((head) => head.set(new TextEncoder().encode("77777777777\0"), 124)), /cut off/);
  await refusedFor(changed((head) => head.fill(0x39, 124, 136)), /number in it/);
  whole[3] = 0x41;
  await refusedFor(whole, /damaged/);
  const extended = (text: string) =>
    changed((head) => head[156] = "x".charCodeAt(0), writeTar([entry("h", text), entry("a")]));
  await refusedFor(extended("22 path=../etc/shadow\n"), /not allowed/);
  await refusedFor(extended("24 size=99999999999999\n"), /damaged|cut off/);
  await refusedFor(extended("25 GNU.sparse.name=aaaaa\n"), /--format=ustar/);
  await refusedFor(extended("9999 a=b\n"), /damaged/);
  await refusedFor(extended("x"), /damaged/);
  await refusedFor(
    changed((head) => head[156] = "g".charCodeAt(0), writeTar([entry("h", "10 size=9\n")])),
    /ustar/,
  );
});
