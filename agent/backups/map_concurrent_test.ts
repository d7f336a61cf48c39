import assert from "node:assert/strict";
import { mapConcurrent } from "./map_concurrent.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("mapConcurrent() works on so many at once, in their order, and shares among no more than will be worked on", async () => {
  const begun: number[] = [], shares: number[] = [];
  let now = 0, most = 0;
  const later = await mapConcurrent([0, 1, 2, 3], 2, async (place, share, isAlone) => {
    begun.push(place);
    shares.push(share());
    assert.equal(isAlone, false);
    most = Math.max(most, ++now);
    await turn();
    now--;
    return place !== 1;
  });
  assert.deepEqual([begun, most, later], [[0, 1, 2, 3], 2, [1]]);
  assert.deepEqual(shares, [2, 2, 2, 2]);
});

Deno.test("mapConcurrent() with one lane works alone; the last one has everything", async () => {
  const seen: [number, number, boolean][] = [];
  const note = (place: number, share: () => number, isAlone: boolean) => {
    seen.push([place, share(), isAlone]);
    return Promise.resolve(true);
  };
  assert.deepEqual(await mapConcurrent([5, 6], 1, note), []);
  assert.deepEqual(await mapConcurrent([7], 4, note), []);
  assert.deepEqual(await mapConcurrent([], 4, note), []);
  assert.deepEqual(seen, [[5, 1, true], [6, 1, true], [7, 1, true]]);
});

Deno.test("mapConcurrent() begins nothing after a failure, and throws it once the others have ended", async () => {
  const ended: number[] = [];
  const work = mapConcurrent([0, 1, 2], 2, async (place) => {
    if (place === 0) throw new Error("no");
    await turn();
    ended.push(place);
    return true;
  });
  await assert.rejects(work, /no/);
  assert.deepEqual(ended, [1]);
});
