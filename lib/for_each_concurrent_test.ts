import assert from "node:assert/strict";
import { forEachConcurrent } from "./for_each_concurrent.ts";

Deno.test("forEachConcurrent() works on each thing once, so many at a time, and throws what the work throws", async () => {
  const done: number[] = [];
  let under = 0, most = 0;
  await forEachConcurrent(3, [1, 2, 3, 4, 5, 6, 7], async (thing) => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    done.push(thing);
  });
  assert.deepEqual([done.toSorted(), most], [[1, 2, 3, 4, 5, 6, 7], 3]);
  await forEachConcurrent(3, [], () => assert.fail("there is nothing to do"));
  await assert.rejects(forEachConcurrent(2, [1], () => Promise.reject(new Error("no"))), /no/);
});
