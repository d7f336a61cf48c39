import assert from "node:assert/strict";
import fc from "fast-check";
import { IsoError, readIso } from "./read.ts";
import { type IsoFile, writeIso } from "./write.ts";
import { skippedUnless } from "../../../tests/testbed/skipped_unless.ts";

const DATE = new Date("2026-02-03T04:05:06Z");
const image = (files: readonly IsoFile[], volumeId = "cidata") =>
  writeIso({ volumeId, files, date: DATE, permissions: 0o400 });
const encode = (text: string) => new TextEncoder().encode(text);

const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 6000 }),
  fc.constantFrom(0, 1, 2047, 2048, 2049, 4096, 65536).map((length) => new Uint8Array(length).fill(65)),
);
const files = fc.uniqueArray(fc.record({ name, bytes: content }), {
  maxLength: 40,
  selector: (file) => file.name,
});

/** Runs a program that may not be installed here. */
async function output(argv: readonly string[]): Promise<Uint8Array | null> {
  const [program, ...args] = argv;
  try {
    const { success, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return stdout;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

Deno.test("writeIso() and readIso() are a round trip for files of any number, name and size", () => {
  fc.assert(
    fc.property(files, (files) => {
      const bytes = image(files);
      assert.equal(bytes.length % 2048, 0);
      const found = readIso(bytes);
      assert.equal(found.volumeId, "cidata");
      assert.deepEqual([...found.files.keys()].sort(), files.map((file) => file.name).sort());
      for (const file of files) assert.deepEqual(found.files.get(file.name), file.bytes);
    }),
    { numRuns: 60 },
  );
});

Deno.test("writeIso() gives the same bytes for the same files in any order", () => {
  const files = [{ name: "b", bytes: encode("1") }, { name: "a", bytes: encode("2") }];
  assert.deepEqual(image(files), image(files.toReversed()));
});

Deno.test("writeIso() refuses names and labels the format has no room for", () => {
  const bytes = new Uint8Array();
  for (const name of ["", "a/b", "..", ".", "a b", "a".repeat(65), "ä", "a\0"]) {
    assert.throws(() => image([{ name, bytes }]), TypeError, name);
  }
  for (const label of ["", "a".repeat(17), "a b", "ä"]) {
    assert.throws(() => image([], label), TypeError, label);
  }
  assert.throws(() => image([{ name: "a", bytes }, { name: "a", bytes }]), TypeError);
});

Deno.test("readIso() gives files or an IsoError for anything", () => {
  const good = image([{ name: "user-data", bytes: encode("#cloud-config\n") }]);
  const change = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 20 });
  fc.assert(
    fc.property(change, fc.nat(good.length), (changes, length) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      for (const each of [bytes, bytes.subarray(0, length)]) {
        try {
          readIso(each);
        } catch (error) {
          assert.ok(error instanceof IsoError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
  assert.throws(() => readIso(new Uint8Array()), IsoError);
});

/** A CD in a folder of its own. */
async function onDisk(bytes: Uint8Array): Promise<AsyncDisposable & { path: string }> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-iso-" });
  const path = `${folder}/test.iso`;
  await Deno.writeFile(path, bytes);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const many: readonly IsoFile[] = [
  { name: "user-data", bytes: encode("#cloud-config\n") },
  { name: "meta-data", bytes: encode("instance-id: 1\n".repeat(1000)) },
  { name: "network-config", bytes: new Uint8Array() },
  ...Array.from({ length: 60 }, (_, index) => ({
    name: `a-long-name-to-fill-a-folder-with-many-records.${index}`,
    bytes: encode(`number ${index}`),
  })),
];
const hasIsoinfo = await output(["isoinfo", "-version"]) !== null;

Deno.test({
  name: "writeIso() writes what isoinfo reads: label, names and content, by Rock Ridge and by Joliet",
  ignore: skippedUnless(hasIsoinfo, "isoinfo is not installed (package genisoimage)"),
  fn: async () => {
    await using file = await onDisk(image(many));
    const read = async (...args: string[]) =>
      new TextDecoder().decode((await output(["isoinfo", "-i", file.path, ...args]))!);
    const about = await read("-d");
    assert.match(about, /^Volume id: cidata$/m);
    assert.match(about, /Joliet with UCS level 3 found/);
    assert.match(about, /Rock Ridge signatures version 1 found/);
    for (const names of ["-R", "-J"]) {
      const listed = (await read(names, "-f")).trim().split("\n");
      assert.deepEqual(listed.sort(), many.map(({ name }) => `/${name}`).sort());
      for (const { name, bytes } of many) {
        assert.equal(await read(names, "-x", `/${name}`), new TextDecoder().decode(bytes), name);
      }
    }
    assert.match(await read("-R", "-l"), /^-r--------\s+1\s+0\s+0\s+14 Feb +3 2026 .* user-data/m);
  },
});

Deno.test({
  name: "readIso() reads what other programs write",
  ignore: skippedUnless(
    await output(["genisoimage", "-version"]) !== null,
    "genisoimage is not installed",
  ),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-iso-" });
    try {
      await Deno.mkdir(`${folder}/in`);
      for (const { name, bytes } of many) await Deno.writeFile(`${folder}/in/${name}`, bytes);
      const path = `${folder}/other.iso`;
      await output(["genisoimage", "-quiet", "-o", path, "-V", "cidata", "-J", "-R", `${folder}/in`]);
      const found = readIso(await Deno.readFile(path));
      assert.equal(found.volumeId, "cidata");
      for (const { name, bytes } of many) assert.deepEqual(found.files.get(name), bytes, name);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
