import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Filler, PIECE_BYTES } from "./filler.ts";

/** A writer that takes over what it is sent, as a worker does, and keeps a copy. */
function writer(fails = false) {
  const pieces: Uint8Array[] = [];
  const buffers = new Set<number>();
  return {
    pieces,
    buffers,
    give: async (bytes: Uint8Array<ArrayBuffer>) => {
      const length = bytes.length;
      const moved = structuredClone(bytes, { transfer: [bytes.buffer] });
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (fails) throw new Error("no space");
      pieces.push(moved.slice(0, length));
      buffers.add(moved.buffer.byteLength);
      return moved;
    },
  };
}

Deno.test("Filler.put() gathers, splits and keeps the order, and tells what is written", async () => {
  const { pieces, buffers, give } = writer();
  let written = 0;
  const filler = new Filler({ give }, (bytes) => written += bytes);
  const content = new Uint8Array(3 * PIECE_BYTES + 17).map((_, index) => index % 251);
  for (let at = 0, step = 1; at < content.length; at += step, step = step * 3 % 900_001) {
    await filler.put(content.subarray(at, at + step));
  }
  await filler.flush();
  assert.deepEqual(pieces.map(({ length }) => length), [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 17]);
  assert.equal(Buffer.compare(Buffer.concat(pieces), content), 0);
  assert.equal(written, content.length);
  assert.deepEqual([...buffers], [PIECE_BYTES], "the whole buffers come back");
});

Deno.test("Filler throws what the writer throws, at the latest when all has to be written", async () => {
  const { give } = writer(true);
  const filler = new Filler({ give }, () => {});
  await filler.put(new Uint8Array(5));
  await assert.rejects(filler.flush(), /no space/);
  const more = new Filler({ give }, () => {});
  await assert.rejects(more.put(new Uint8Array(4 * PIECE_BYTES)), /no space/);
});
