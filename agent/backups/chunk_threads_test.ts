import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ChunkThreads, ZstdError } from "./chunk_threads.ts";

const CONTENTS = [1, 2, 3, 4].map((byte) => new Uint8Array(200).fill(byte));
const copies = () => CONTENTS.map((content) => content.slice());
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

Deno.test("ChunkThreads name, compress and unpack, several at once, and give back what they were given", async () => {
  using threads = new ChunkThreads(undefined);
  const given = copies(), named = await Promise.all(given.map((content) => threads.name(content)));
  assert.deepEqual(given.map(({ length }) => length), [0, 0, 0, 0], "it was copied");
  const wanted = CONTENTS.map((content) => ({ name: sha256(content), content }));
  assert.deepEqual(named, wanted);
  const packed = await Promise.all(named.map(({ content }) => threads.pack(content)));
  assert.deepEqual(packed.map(({ content }) => content), CONTENTS);
  assert.deepEqual(packed.map(({ packed }) => new Uint8Array(zstdDecompressSync(packed))), CONTENTS);
  const unpacked = await Promise.all(packed.map(({ packed }) => threads.unpack(packed, 200)));
  assert.deepEqual(unpacked, wanted);
});

Deno.test("ChunkThreads leave memory alone that has more in it, and take content that does not get smaller", async () => {
  using threads = new ChunkThreads(undefined);
  const around = crypto.getRandomValues(new Uint8Array(1000)), whole = around.slice();
  for (const length of [1, 100, 990]) {
    const { content } = await threads.name(around.subarray(10, 10 + length));
    const { packed } = await threads.pack(around.subarray(10, 10 + length));
    assert.deepEqual(content, whole.slice(10, 10 + length));
    assert.deepEqual((await threads.unpack(packed, length)).content, content);
  }
  assert.deepEqual(around, whole);
});

Deno.test("ChunkThreads name by a key where they have one", async () => {
  const key = new Uint8Array(32).fill(7), content = new Uint8Array([1, 2, 3]);
  const name = createHmac("sha256", key).update("chunk\0").update(content).digest("hex");
  using threads = new ChunkThreads(key);
  const named = await threads.name(content.slice());
  assert.deepEqual(named, { name, content });
  assert.deepEqual(await threads.unpack(new Uint8Array(zstdCompressSync(content)), 3), named);
});

Deno.test("ChunkThreads refuse what is damaged, and what would become more than it may", async () => {
  using threads = new ChunkThreads(undefined);
  const packed = (bytes: number) => new Uint8Array(zstdCompressSync(new Uint8Array(bytes)));
  await assert.rejects(threads.unpack(new Uint8Array([1, 2, 3]), 10), ZstdError);
  for (const bytes of [11, 1000, 1_000_000]) {
    await assert.rejects(threads.unpack(packed(bytes), 10), ZstdError);
  }
  assert.deepEqual((await threads.unpack(packed(10), 10)).content, new Uint8Array(10));
});
