import assert from "node:assert/strict";
import { type FigureSource, MetricSampler } from "./metric_sampler.ts";

const SOURCES: readonly FigureSource[] = [
  { name: "gauge", label: "", kind: "gauge", from: "g", factor: 2 },
  { name: "counter", label: "", kind: "counter", from: "c", factor: 1 },
  { name: "ratio", label: "", kind: "ratio", from: "ms", by: "ops", factor: 1 },
];

Deno.test("MetricSampler.take(): what can be told of a reading, and what is a gap", () => {
  const taker = new MetricSampler(SOURCES);
  const TABLE: readonly [
    what: string,
    reading: Record<string, number>,
    seconds: number,
    hasReset: boolean,
    figures: number[],
  ][] = [
    ["the first", { g: 1, c: 100, ms: 0, ops: 0 }, 0, false, [2, NaN, NaN]],
    ["rises", { g: 2, c: 200, ms: 50, ops: 10 }, 10, false, [4, 10, 5]],
    ["no operation", { g: 2, c: 200, ms: 50, ops: 10 }, 20, false, [4, 0, NaN]],
    ["the same moment", { g: 2, c: 210, ms: 60, ops: 11 }, 20, false, [4, NaN, NaN]],
    ["began again, larger than before", { g: 2, c: 900, ms: 90, ops: 90 }, 30, true, [4, NaN, NaN]],
    ["goes on", { g: 2, c: 1000, ms: 190, ops: 100 }, 40, false, [4, 10, 10]],
    ["began again, smaller", { g: 2, c: 5, ms: 1, ops: 1 }, 50, false, [4, NaN, NaN]],
    ["too long ago", { g: 2, c: 5000, ms: 1, ops: 5 }, 500, false, [4, NaN, NaN]],
    ["a counter is missing", { g: 2, ms: 5, ops: 7 }, 510, false, [4, NaN, 2]],
    ["and is there again", { g: 2, c: 5100, ms: 5, ops: 7 }, 520, false, [4, NaN, NaN]],
    ["the clock of the readings goes back", { g: 2, c: 5200, ms: 6, ops: 8 }, 400, false, [4, NaN, NaN]],
  ];
  for (const [what, reading, seconds, hasReset, expected] of TABLE) {
    assert.deepEqual([...taker.take(reading, seconds * 1000, 60, hasReset)], expected, what);
  }
});

Deno.test("MetricSampler.take(): a share of the time is never more than all of it", () => {
  const taker = new MetricSampler([{ name: "share", label: "", kind: "share", from: "us", factor: 1e-4 }]);
  const take = (us: number, seconds: number) => [...taker.take({ us }, seconds * 1000, 60)];
  take(0, 0);
  assert.deepEqual(take(500_000, 1), [50]);
  assert.deepEqual(take(1_900_000, 2), [100]);
});
