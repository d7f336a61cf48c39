import assert from "node:assert/strict";
import { alone, beside, holds, longer } from "./row.ts";
import { table } from "./table.ts";

const row = beside({
  what: "list",
  ours: [1, 2, 3],
  theirs: [100, 20, 60],
  peer: "virsh",
  aim: { ratio: 0.06 },
});

Deno.test("beside() gives medians, and the median of the rounds' own ratios", () => {
  assert.deepEqual([row.ours, row.theirs, row.ratio, row.runs], [2, 60, 0.05, 3]);
});

Deno.test("longer() gives the median of the rounds' own differences", () => {
  assert.equal(longer({ what: "start", ours: [5, 9, 7], theirs: [4, 4, 5], peer: "virsh" }).ours, 2);
});

Deno.test("holds() knows aims for the ratio, for the figure, and none", () => {
  assert.equal(holds(row), true);
  assert.equal(holds({ ...row, ratio: 0.07 }), false);
  assert.equal(holds(alone({ what: "memory", ours: [101], unit: "MB", aim: { most: 100 } })), false);
  assert.equal(holds(alone({ what: "memory", ours: [101], unit: "MB" })), null);
});

Deno.test("table() aligns, and marks what misses its aim", () => {
  const lines = table([row, { ...row, ratio: 0.07 }]).split("\n");
  assert.match(lines[0]!, /^what +ours +theirs +ratio +unit +runs +peer +aim/);
  assert.match(lines[1]!, /^list +2\.0 +60\.0 +0\.050 +ms +3 +virsh +≤ 0\.06 × +yes$/);
  assert.match(lines[2]!, /MISSED$/);
});
