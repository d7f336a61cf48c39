import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Chunk,
  chunkCount,
  ChunkList,
  digestsIn,
  readingChunkList,
  writeChunkList,
} from "./chunk_list.ts";
import { ManifestError } from "./manifest.ts";

function readChunkList(text: string, count: number): ChunkList {
  const reading = readingChunkList(text, count);
  for (;;) {
    const part = reading.next();
    if (part.done) return part.value;
  }
}
function listOf(chunks: readonly Chunk[]): ChunkList {
  const list = new ChunkList(chunks.length);
  for (const [index, digest] of [...chunks.entries()].reverse()) if (digest !== null) list.put(index, digest);
  return list;
}

const digest = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 64, maxLength: 64 })
  .map((digits) => digits.map((each) => each.toString(16)).join(""));

Deno.test("a list of chunks is read as it was written, with the digests in it", () => {
  fc.assert(fc.property(fc.array(fc.option(digest)), (chunks) => {
    const text = writeChunkList(listOf(chunks)), read = readChunkList(text, chunks.length);
    assert.deepEqual(chunks.map((_chunk, index) => read.at(index)), chunks);
    assert.deepEqual([...digestsIn(text)], chunks.filter((chunk) => chunk !== null));
  }));
  assert.equal(writeChunkList(listOf([null, null, null])), "0 3\n");
  assert.equal(chunkCount(2 * 1024 ** 2 + 1, 2 * 1024 ** 2), 2);
});

Deno.test("a list that lies is refused, and costs nothing", () => {
  const refused = (text: string, count: number) =>
    assert.throws(() => readChunkList(text, count), ManifestError);
  refused("0 999999999999\n", 3);
  refused("0 2\n", 3);
  refused("../../etc/passwd\n", 1);
  refused(`${"A".repeat(64)}\n`, 1);
  refused("0 -1\n", 1);
  refused("0 0\n", 0);
  refused(`0 1\n\n`, 1);
  assert.throws(() => [...digestsIn("x\n")], ManifestError);
});

Deno.test("a list of nothing but line breaks ends at the first: as many as a file holds would fill the memory", () => {
  const text = "\n".repeat(1_000_000), damaged = /its list of chunks is damaged/;
  assert.throws(() => readChunkList(text, 1), damaged);
  assert.throws(() => [...digestsIn(text)], damaged);
});

Deno.test("a disk of nothing but zeros costs nothing, however large it is", () => {
  const count = 2 ** 25, before = Deno.memoryUsage().heapUsed, started = performance.now();
  const lists = Array.from({ length: 6 }, () => readChunkList(`0 ${count - 1}\n${"a".repeat(64)}\n`, count));
  for (const list of lists) assert.equal(writeChunkList(list), `0 ${count - 1}\n${"a".repeat(64)}\n`);
  assert.ok(performance.now() - started < 500, "no time");
  assert.ok(Deno.memoryUsage().heapUsed - before < 50 * 1024 ** 2, "no memory");
  assert.deepEqual(lists.map(({ contentCount }) => contentCount), [1, 1, 1, 1, 1, 1]);
});
