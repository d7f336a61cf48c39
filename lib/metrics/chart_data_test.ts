import assert from "node:assert/strict";
import type { MetricHistory } from "../contract/metrics.ts";
import { chartSet, gridOf, isolatedPoints, MOST_DRAWN, timesOf } from "./chart_data.ts";
import { type Chart, HOST_CHARTS, seriesNames, VM_CHARTS } from "./charts.ts";
import { HOST_SERIES, VM_SERIES } from "../contract/metric_series.ts";

type Series = MetricHistory["series"][number];
type Values = (number | null)[];

const of = (name: string, avg: Values, { label, min = avg, max = avg }: {
  label?: string;
  min?: Values;
  max?: Values;
} = {}): Series => ({ name, ...(label !== undefined && { label }), unit: "percent", min, avg, max });

const history = (series: Series[], count: number, stepSeconds = 30): MetricHistory => ({
  from: 0,
  to: count * stepSeconds * 1000,
  resolution: "raw",
  stepSeconds,
  series,
  times: Array.from({ length: count }, (_, at) => at * stepSeconds * 1000),
});

const CPU: Chart = {
  id: "cpu",
  title: "monitoring.cpu",
  unit: "percent",
  series: [{ name: "a", label: "monitoring.used", token: "cpu" }],
};
const parts = (as: "sum" | "max" | "busiest"): Chart => ({ ...CPU, parts: { of: "disk", as } });
const linesOf = (series: Series[], count: number, chart = CPU, chosen = {}) =>
  chartSet(history(series, count), [chart], chosen).charts[0]!;

Deno.test("chartSet() keeps a gap a gap, and a zero a zero", () => {
  const set = chartSet(history([of("a", [0, null, null, 3])], 4), [CPU]);
  assert.deepEqual(set.charts[0]!.lines, [{ name: "a", avg: [0, null, null, 3] }]);
  assert.equal(set.last, 90_000);
  assert.deepEqual(timesOf(set), [0, 30, 60, 90]);
});

Deno.test("chartSet() of nothing has lines without figures", () => {
  const set = chartSet(history([], 3), [CPU]);
  assert.deepEqual(set.charts[0]!.lines, [{ name: "a", avg: [null, null, null] }]);
  assert.equal(set.last, null);
  assert.deepEqual(gridOf({ ...history([], 0), times: [] }).count, 0);
});

Deno.test("chartSet() draws no more times than can be seen: mean of means, least of least, greatest of greatest", () => {
  const count = MOST_DRAWN * 3, avg = Array.from({ length: count }, (_, at) => at % 3);
  const [line] = linesOf([of("a", avg, { max: avg.map((value) => value * 10) })], count).lines;
  assert.equal(line!.avg.length, MOST_DRAWN);
  assert.deepEqual([line!.avg[7], line!.min![7], line!.max![7]], [1, 0, 20]);
});

Deno.test("chartSet() puts parts together: their sum, the greatest, or the busiest alone", () => {
  const series = [
    of("a", [1, null, null], { label: "vda", max: [5, null, null] }),
    of("a", [2, 4, null], { label: "vdb" }),
  ];
  const sum = linesOf(series, 3, parts("sum"));
  assert.deepEqual(
    sum.lines[0],
    { name: "a", avg: [3, 4, null] },
    "no band: the greatest of a sum is not known",
  );
  assert.equal(sum.part, undefined);
  assert.deepEqual(linesOf(series, 3, parts("max")).lines[0]!.avg, [2, 4, null]);
  assert.deepEqual(linesOf(series, 3, parts("busiest")), {
    id: "cpu",
    part: "vdb",
    lines: [{ name: "a", avg: [2, 4, null] }],
  });
});

Deno.test("chartSet() shows the part that is chosen, with its band; one that is not there is not chosen", () => {
  const series = [of("a", [1], { label: "vda", max: [5] }), of("a", [2], { label: "vdb" })];
  assert.deepEqual(linesOf(series, 1, parts("sum"), { disk: "vda" }), {
    id: "cpu",
    part: "vda",
    lines: [{ name: "a", avg: [1], min: [1], max: [5] }],
  });
  assert.deepEqual(linesOf(series, 1, parts("sum"), { disk: "sda" }).lines[0]!.avg, [3]);
  assert.deepEqual(chartSet(history(series, 1), [parts("sum")]).parts, { disk: ["vda", "vdb"] });
});

Deno.test("chartSet() leaves a rare chart out unless there is something in it", () => {
  const rare: Chart = { ...CPU, isRare: true };
  assert.equal(chartSet(history([of("a", [0, null])], 2), [rare]).charts.length, 0);
  assert.equal(chartSet(history([of("a", [0, 0], { max: [0, 1] })], 2), [rare]).charts.length, 1);
});

Deno.test("isolatedPoints() are the figures that a line would not show", () => {
  assert.deepEqual(isolatedPoints([1, null, 2, 3, null, 4]), [0, 5]);
});

Deno.test("charts show series that there are, in the unit that these have", () => {
  for (const [charts, table] of [[VM_CHARTS, VM_SERIES], [HOST_CHARTS, HOST_SERIES]] as const) {
    const known: Readonly<Record<string, { unit: string; of?: string }>> = table;
    for (const { id, unit, series, parts } of charts) {
      for (const { name } of series) {
        assert.equal(known[name]?.unit, unit, `${id}: ${name}`);
        assert.equal(known[name]?.of, parts?.of, `${id}: ${name}`);
      }
    }
    assert.equal(new Set(seriesNames<string>(charts)).size, seriesNames<string>(charts).length);
  }
});
