import assert from "node:assert/strict";
import { areaPath, linePath } from "./picture.ts";

Deno.test("linePath() goes from left to right, the ceiling at the top, and stops at gaps", () => {
  assert.equal(linePath({ avg: [0, 100, null, 50, 50] }, 100), "M0 100L150 0M450 50L600 50");
});

Deno.test("linePath() shows a figure between gaps, and what is out of the scale at its edge", () => {
  assert.equal(linePath({ avg: [null, 300, null] }, 100), "M300 0L301 0");
  assert.equal(linePath({ avg: [] }, 100), "");
  assert.equal(linePath({ avg: [null] }, 100), "");
});

Deno.test("areaPath() closes each run at the ground", () => {
  assert.equal(areaPath({ avg: [50, 50] }, 100), "M0 50L600 50L600 100L0 100Z");
});
