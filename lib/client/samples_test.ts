import assert from "node:assert/strict";
import { Samples } from "./samples.ts";

Deno.test("Samples keeps its span of seconds and no more", () => {
  const samples = new Samples(1, 10);
  for (let second = 0; second <= 30; second += 5) samples.add(second * 1000, [second]);
  assert.deepEqual(samples.columns(), [[20, 25, 30], [20, 25, 30]]);
});

Deno.test("Samples.add() ignores what is not newer, and keeps gaps as gaps", () => {
  const samples = new Samples(2, 60);
  samples.add(2_000, [1, null]);
  samples.add(2_000, [9, 9]);
  samples.add(1_000, [9, 9]);
  samples.add(3_000, [2]);
  assert.deepEqual(samples.columns(), [[2, 3], [1, 2], [null, null]]);
});

Deno.test("Samples.add() leaves a gap where nothing was told for long: no line from before a stop to after a start", () => {
  const samples = new Samples(1, 600);
  samples.add(0, [1]);
  samples.add(60_000, [2]);
  samples.add(260_000, [3]);
  assert.deepEqual(samples.columns(), [[0, 60, 160, 260], [1, 2, null, 3]]);
});
