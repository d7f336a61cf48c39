import assert from "node:assert/strict";
import { inLanes } from "./lanes.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("inLanes() works on so many at once, in their order, and shares among no more than will be worked on", async () => {
  const begun: number[] = [], shares: number[] = [];
  let now = 0, most = 0;
  const later = await inLanes([0, 1, 2, 3], 2, async (place, share, isAlone) => {
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

Deno.test("inLanes() with one lane works alone; the last one has everything", async () => {
  const seen: [number, number, boolean][] = [];
  const note = (place: number, share: () => number, isAlone: boolean) => {
    seen.push([place, share(), isAlone]);
    return Promise.resolve(true);
  };
  assert.deepEqual(await inLanes([5, 6], 1, note), []);
  assert.deepEqual(await inLanes([7], 4, note), []);
  assert.deepEqual(await inLanes([], 4, note), []);
  assert.deepEqual(seen, [[5, 1, true], [6, 1, true], [7, 1, true]]);
});

Deno.test("inLanes() begins nothing after a failure, and throws it once the others have ended", async () => {
  const ended: number[] = [];
  const work = inLanes([0, 1, 2], 2, async (place) => {
    if (place === 0) throw new Error("no");
    await turn();
    ended.push(place);
    return true;
  });
  await assert.rejects(work, /no/);
  assert.deepEqual(ended, [1]);
});
