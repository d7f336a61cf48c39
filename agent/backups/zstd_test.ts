import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { Zstd, ZstdError } from "./zstd.ts";

Deno.test("Zstd compresses and unpacks on its thread, several at once, and leaves what it was given", async () => {
  using zstd = new Zstd();
  const contents = [1, 2, 3].map((byte) => new Uint8Array(200_000).fill(byte));
  const packed = await Promise.all(contents.map((content) => zstd.compress(content)));
  assert.deepEqual(contents.map(({ length }) => length), [200_000, 200_000, 200_000]);
  assert.deepEqual(new Uint8Array(zstdDecompressSync(packed[1]!)), contents[1]);
  const unpacked = await Promise.all(packed.map((each) => zstd.decompress(each, 200_000)));
  assert.deepEqual(unpacked, contents);
});

Deno.test("Zstd refuses what is damaged, and what would become more than it may", async () => {
  using zstd = new Zstd();
  await assert.rejects(zstd.decompress(new Uint8Array([1, 2, 3]), 10), ZstdError);
  await assert.rejects(zstd.decompress(await zstd.compress(new Uint8Array(1000)), 10), ZstdError);
  assert.deepEqual(await zstd.decompress(await zstd.compress(new Uint8Array(10)), 10), new Uint8Array(10));
});
