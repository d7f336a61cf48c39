import assert from "node:assert/strict";
import { PieceQueue } from "./piece_queue.ts";

/** A source that notes what it is told. */
function source() {
  const told: string[] = [];
  return { told, pause: () => told.push("pause"), resume: () => told.push("resume") };
}

Deno.test("pieces come in order, those that wait also after the end; then null", async () => {
  const queue = new PieceQueue<string>(source(), { most: 4, resumeBelow: 4 });
  const first = queue.next();
  for (const piece of ["a", "b", "c"]) queue.put(piece);
  queue.end();
  queue.put("late");
  assert.deepEqual([await first, await queue.next(), await queue.next(), await queue.next()], [
    "a",
    "b",
    "c",
    null,
  ]);
});

Deno.test("the source is paused at its limit, and goes on below the other", async () => {
  const at = source(), queue = new PieceQueue<number>(at, { most: 2, resumeBelow: 1 });
  queue.put(1);
  assert.deepEqual(at.told, []);
  queue.put(2);
  assert.deepEqual(at.told, ["pause"]);
  await queue.next();
  assert.deepEqual(at.told, ["pause"], "one piece waits still");
  await queue.next();
  assert.deepEqual(at.told, ["pause", "resume"]);
});

Deno.test("a piece that is waited for can fail; the next one comes all the same", async () => {
  const queue = new PieceQueue<string>(source(), { most: 4, resumeBelow: 1 });
  const waited = queue.next();
  queue.interrupt(new Error("stalled"));
  await assert.rejects(waited, /stalled/);
  queue.put("a");
  assert.equal(await queue.next(), "a");
});

Deno.test("discarded, nothing more is read, and the source is let run to its end", async () => {
  const at = source(), queue = new PieceQueue<string>(at, { most: 1, resumeBelow: 1 });
  queue.put("a");
  queue.discard();
  queue.put("b");
  assert.deepEqual([await queue.next(), at.told], [null, ["pause", "resume"]]);
});
