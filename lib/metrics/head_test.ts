import assert from "node:assert/strict";
import type { MetricSummary } from "../contract/metrics.ts";
import type { Chart } from "./charts.ts";
import { chartHead } from "./head.ts";

type Row = MetricSummary["series"][number];

const row = (name: string, max: number | null, label?: string): Row =>
  ({
    name,
    unit: "bytes/s",
    last: null,
    min: null,
    avg: null,
    p95: max,
    max,
    ...(label && { label }),
  }) as Row;
const chart = (...names: string[]) => ({ series: names.map((name) => ({ name })) }) as unknown as Chart;

Deno.test("chartHead() counts every line of a graph, not the first alone", () => {
  const disk = chart("disk-read", "disk-write");
  const rows = [row("disk-read", 7.2), row("disk-write", 46), row("cpu", 99)];
  assert.deepEqual(chartHead(disk, undefined, rows), { unit: "bytes/s", max: 46 });
  assert.deepEqual(chartHead(chart("cpu"), undefined, rows), { unit: "bytes/s", max: 99, p95: 99 });
});

Deno.test("chartHead() is of the part that is shown, and says nothing where parts are put together or unknown", () => {
  const rows = [row("rx", 5, "vnet0"), row("rx", 9, "vnet1")];
  assert.equal(chartHead(chart("rx"), "vnet0", rows)?.max, 5);
  assert.equal(chartHead(chart("rx"), undefined, rows), undefined);
  assert.equal(chartHead(chart("rx"), undefined, [row("rx", null)]), undefined);
  assert.equal(chartHead(chart("rx"), undefined, []), undefined);
});
