import assert from "node:assert/strict";
import { between, mergeAll, mergePoints, NO_POINTS } from "./points.ts";

const raw = (...times: number[]) => ({ times, avg: times.map((time) => time * 2) });
const rolled = (...times: number[]) => ({ ...raw(...times), min: times, max: times.map((time) => time * 3) });

Deno.test("mergeAll() merges as mergePoints() does, in order of time or not", () => {
  for (
    const parts of [
      [],
      [NO_POINTS, raw(1, 2)],
      [raw(1, 2), raw(3), NO_POINTS, raw(5, 9)],
      [rolled(1, 2), rolled(3), rolled(4, 5)],
      [raw(1, 2), rolled(3)],
      [rolled(1, 4, 6), rolled(2, 5), rolled(3)],
    ]
  ) {
    const before = structuredClone(parts);
    assert.deepEqual(mergeAll(parts), parts.reduce(mergePoints, NO_POINTS));
    assert.deepEqual(parts, before, "what is merged is not changed");
  }
  const later = { times: [2, 3], avg: [7, 8] };
  assert.deepEqual(
    mergeAll([raw(1, 2), later, raw(4)]).avg,
    [2, 7, 8, 8],
    "of a time in both the last counts",
  );
  assert.deepEqual(between(mergeAll([raw(1, 2), raw(3, 4)]), 2, 4).times, [2, 3]);
});
