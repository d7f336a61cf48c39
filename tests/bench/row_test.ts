import assert from "node:assert/strict";
import { alone, comparison, holds, longer } from "./row.ts";
import { HEAD, tableLine } from "./table.ts";

const row = comparison({
  what: "list",
  ours: [1, 2, 3],
  theirs: [100, 20, 60],
  peer: "virsh",
  aim: { ratio: 0.06 },
});

Deno.test("comparison() gives medians, and the median of the rounds' own ratios", () => {
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

Deno.test("tableLine() puts each row below the heads, and marks what misses its aim", () => {
  const line = tableLine(row), late = tableLine({ ...row, ratio: 0.07 });
  assert.match(HEAD, /^what +ours +theirs +ratio +unit +runs +peer +aim/);
  assert.match(line, /^list +2\.0 +60\.0 +0\.050 +ms +3 +virsh +≤ 0\.060 × +yes$/);
  assert.match(late, /MISSED$/);
  for (const [head, cell] of [["unit", "ms"], ["peer", "virsh"]] as const) {
    assert.equal(line.indexOf(cell), HEAD.indexOf(head));
  }
});

Deno.test("tableLine() cuts nothing off", () => {
  const what = "x".repeat(200);
  assert.match(tableLine({ ...row, what }), new RegExp(`^${what}  +2\\.0`));
});
