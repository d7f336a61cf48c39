import assert from "node:assert/strict";
import zlib from "node:zlib";
import { ContractError } from "../../../lib/contract/mod.ts";
import { packingOf } from "../../../lib/formats/content_kind.ts";
import { packedName, unpacked, unpackedName } from "./unpack.ts";
import { skippedUnless } from "../../../tests/testbed/skipped_unless.ts";

const content = new Uint8Array(3_000_000).map((_, index) => index * 7 % 251);

async function packedBy(program: string): Promise<Uint8Array> {
  const child = new Deno.Command(program, { args: ["-c"], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const [, output] = await Promise.all([writer.write(content).then(() => writer.close()), child.output()]);
  return output.stdout;
}
/** In small pieces, as a network gives them. */
async function* pieces(bytes: Uint8Array, size = 7000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.slice(at, at + size);
  }
}
async function whole(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(stream)).arrayBuffer());
}
const PACKED = {
  gzip: () => new Uint8Array(zlib.gzipSync(content)),
  zstd: () => new Uint8Array(zlib.zstdCompressSync(content)),
  xz: () => packedBy("xz"),
  bzip2: () => packedBy("bzip2"),
} as const;

/** Whether a program is here; what the runtime does itself needs none. */
async function has(program: string): Promise<boolean> {
  if (program === "gzip") return true;
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdin: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

for (const name of Object.keys(PACKED) as (keyof typeof PACKED)[]) {
  const ignore = skippedUnless(await has(name), `${name} is not installed`);
  Deno.test({
    name: `unpacked() undoes ${name}, and reports a broken file`,
    ignore,
    fn: async () => {
      const packed = await PACKED[name]();
      assert.equal(packingOf(packed), name);
      assert.deepEqual(await whole(unpacked(pieces(packed), name)), content);
      const unpackFailed = (error: unknown) =>
        error instanceof ContractError && error.code === "ImageUnpackFailed" && error.message.includes(name);
      const broken = packed.slice();
      broken.fill(0xff, broken.length >> 1);
      await assert.rejects(whole(unpacked(pieces(broken), name)), unpackFailed);
      await assert.rejects(
        whole(unpacked(pieces(packed.subarray(0, packed.length >> 1)), name)),
        unpackFailed,
      );
    },
  });

  Deno.test({
    name: `unpacked() of ${name} ends with the source's own failure, and when the reader stops`,
    ignore,
    fn: async () => {
      const packed = await PACKED[name]();
      const failing = async function* () {
        yield packed.subarray(0, 100);
        await Promise.resolve();
        throw new RangeError("mine");
      };
      await assert.rejects(whole(unpacked(failing(), name)), (error) => error instanceof RangeError);
      for await (const piece of unpacked(pieces(packed), name)) {
        assert.ok(piece.length > 0);
        break;
      }
    },
  });
}

Deno.test("unpackedName() takes the packing's end off", () => {
  assert.deepEqual(["a.raw.xz", "b.img.GZ", "c.zst", "d.bz2", "e.qcow2"].map(unpackedName), [
    "a.raw",
    "b.img",
    "c",
    "d",
    "e.qcow2",
  ]);
});

Deno.test("packedName() says how a file is packed, and unpackedName() leads back", () => {
  assert.equal(packedName("a.qcow2", "xz"), "a.qcow2.xz");
  assert.equal(packedName("a.qcow2.gz", "gzip"), "a.qcow2.gz");
  assert.equal(unpackedName(packedName("a", "zstd")), "a");
});
