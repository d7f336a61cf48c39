import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ChunkWriter, PIECE_BYTES } from "./chunk_writer.ts";

/** A writer that takes its time: what it reads at the end must be what it was given. */
function writer(ms: number, fails = false) {
  const pieces: Uint8Array[] = [];
  const buffers = new Set<SharedArrayBuffer>();
  let last = Promise.resolve();
  return {
    pieces,
    buffers,
    give: (bytes: Uint8Array<SharedArrayBuffer>) =>
      last = last.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        if (fails) throw new Error("no space");
        pieces.push(bytes.slice());
        buffers.add(bytes.buffer);
      }),
  };
}

Deno.test("Filler.put() gathers, splits and keeps the order for each writer, and tells what all have taken", async () => {
  const quick = writer(0), slow = writer(5);
  let written = 0;
  const filler = new ChunkWriter([quick, slow], (bytes) => {
    written += bytes;
    assert.ok(slow.pieces.reduce((sum, { length }) => sum + length, 0) >= written);
  });
  const content = new Uint8Array(12 * PIECE_BYTES + 17).map((_, index) => index % 251);
  for (let at = 0, step = 1; at < content.length; at += step, step = step * 3 % 900_001) {
    await filler.put(content.subarray(at, at + step));
  }
  await filler.flush();
  for (const { pieces, buffers } of [quick, slow]) {
    assert.deepEqual(pieces.map(({ length }) => length), [...Array<number>(12).fill(PIECE_BYTES), 17]);
    assert.equal(Buffer.compare(Buffer.concat(pieces), content), 0);
    assert.equal(buffers.size, 8, "the same few buffers");
  }
  assert.equal(written, content.length);
});

Deno.test("Filler throws what a writer throws, at the latest when all has to be written", async () => {
  const filler = new ChunkWriter([writer(0), writer(1, true)]);
  await filler.put(new Uint8Array(5));
  await assert.rejects(filler.flush(), /no space/);
  const more = new ChunkWriter([writer(1, true), writer(0)]);
  await assert.rejects(more.put(new Uint8Array(12 * PIECE_BYTES)), /no space/);
});
