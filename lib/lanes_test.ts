import assert from "node:assert/strict";
import { inLanes } from "./lanes.ts";

Deno.test("inLanes() works on each thing once, so many at a time, and throws what the work throws", async () => {
  const done: number[] = [];
  let under = 0, most = 0;
  await inLanes(3, [1, 2, 3, 4, 5, 6, 7], async (thing) => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    done.push(thing);
  });
  assert.deepEqual([done.toSorted(), most], [[1, 2, 3, 4, 5, 6, 7], 3]);
  await inLanes(3, [], () => assert.fail("there is nothing to do"));
  await assert.rejects(inLanes(2, [1], () => Promise.reject(new Error("no"))), /no/);
});
