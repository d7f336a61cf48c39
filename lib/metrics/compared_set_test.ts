import assert from "node:assert/strict";
import type { MetricHistory } from "../contract/metrics.ts";
import { comparedSet } from "./chart_data.ts";
import { COMPARED, ofHost } from "./charts.ts";
import { HOST_SERIES, VM_SERIES } from "../contract/metric_series.ts";

const history = (stepSeconds: number, count: number, avg: (number | null)[][]): MetricHistory => ({
  from: 0,
  to: 120_000,
  resolution: "raw",
  stepSeconds,
  times: Array.from({ length: count }, (_, at) => at * stepSeconds * 1000),
  series: avg.map((values, at) => ({
    name: "disk_read_bytes",
    label: `vd${at}`,
    unit: "bytes/s" as const,
    min: values,
    avg: values,
    max: values,
  })),
});

Deno.test("comparedSet() has a line a VM over the same times, however often their figures were taken", () => {
  const chart = COMPARED.find(({ id }) => id === "disk-read")!;
  const often = history(30, 4, [[1, 3, null, 7], [1, 1, 1, 1]]), rarely = history(60, 2, [[5, null]]);
  const set = comparedSet([often, rarely, history(60, 2, [])].map((past) => ({ history: past, chart })))!;
  assert.equal(set.step, 60);
  assert.deepEqual(set.charts[0]!.lines.map(({ avg }) => avg), [[3, 8], [5, null], [null, null]]);
  assert.equal(set.last, 60_000);
  assert.equal(comparedSet([]), null);
});

Deno.test("the host is compared by its busiest card: a bridge counts what its card counts, too", () => {
  for (const [id, line] of [["network-in", [3, 4]], ["disk-read", [4, 6]]] as const) {
    const chart = COMPARED.find((each) => each.id === id)!, { name } = chart.series[0]!;
    const past = history(60, 2, [[3, 2], [1, 4]]);
    const named = { ...past, series: past.series.map((each) => ({ ...each, name })) };
    const set = comparedSet([{ history: named, chart: ofHost(chart) }])!;
    assert.deepEqual(set.charts[0]!.lines.map(({ avg }) => avg), [line], id);
  }
});

Deno.test("VMs are compared by series that there are, in the unit that these have", () => {
  for (const { id, unit, series: [line], parts } of COMPARED) {
    for (const row of [VM_SERIES[line!.name], HOST_SERIES[line!.name]] as { unit: string; of?: string }[]) {
      assert.deepEqual([row.unit, row.of], [unit, parts?.of], id);
    }
  }
});
