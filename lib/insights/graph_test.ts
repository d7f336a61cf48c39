import assert from "node:assert/strict";
import type { MetricHistory } from "../contract/metrics.ts";
import { findingGraph } from "./graph.ts";

const history = (avg: (number | null)[]): MetricHistory => ({
  from: 0,
  to: avg.length * 60_000,
  resolution: "1m",
  stepSeconds: 60,
  times: avg.map((_, at) => at * 60_000),
  series: [{
    name: "cpu_usage",
    unit: "percent",
    min: avg,
    avg,
    max: avg.map((value) => value === null ? null : value + 1),
  }],
});

Deno.test("findingGraph() keeps gaps, and the highest figure of what it thins out", () => {
  const graph = findingGraph(history(Array.from({ length: 720 }, (_, at) => at < 360 ? null : at)))!;
  assert.equal(graph.line.avg.length, 360);
  assert.deepEqual([0, 179, 180].map((at) => graph.line.avg[at]), [null, null, 360.5]);
  assert.deepEqual([graph.highest, graph.mean], [720, 539.5]);
});

Deno.test("findingGraph() is none where there is nothing to draw", () => {
  assert.equal(findingGraph(history([null, null])), undefined);
  assert.equal(findingGraph(history([1])), undefined);
  assert.equal(findingGraph({ ...history([]), series: [] }), undefined);
  const fewOf = (all: number) =>
    findingGraph(history(Array.from({ length: all }, (_, at) => at < 9 ? 1 : null)));
  assert.equal(fewOf(100), undefined, "of a day, the minutes since it was added are a picture of nothing");
  assert.equal(fewOf(90)?.mean, 1);
});
