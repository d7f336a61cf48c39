import assert from "node:assert/strict";
import type { ChartSet } from "./chart_data.ts";
import { LIVE_CHARTS, liveSeed } from "./live_seed.ts";

const set = (avg: (number | null)[]): ChartSet => ({
  from: 0,
  to: 1,
  resolution: "raw",
  first: 100,
  step: 10,
  count: avg.length,
  parts: {},
  last: null,
  charts: LIVE_CHARTS.map((id) => ({ id, lines: [{ name: id, avg }] })),
});

Deno.test("liveSeed() keeps the gap of a VM that was off, and begins and ends with what is known", () => {
  const seed = liveSeed(set([null, 5, null, null, 7, null]));
  assert.deepEqual(seed.map(({ at, values }) => [at, values.cpu[0]]), [
    [110_000, 5],
    [120_000, null],
    [130_000, null],
    [140_000, 7],
  ]);
  assert.deepEqual(liveSeed(set([null, null])), []);
});
