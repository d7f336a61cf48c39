import assert from "node:assert/strict";
import { metricsCsv } from "./csv.ts";

const history = (resolution: "raw" | "1m") => ({
  from: 0,
  to: 120_000,
  resolution,
  stepSeconds: 60,
  times: [0, 60_000],
  series: [
    { name: "cpu_usage", unit: "percent" as const, min: [1, null], avg: [1.5, null], max: [2, null] },
    {
      name: "disk_read_bytes",
      label: '=cmd|"x",y',
      unit: "bytes/s" as const,
      min: [0, 1],
      avg: [0, 1],
      max: [0, 1],
    },
  ],
});

Deno.test("metricsCsv() has a row a time; a gap is empty, no zero; labels are no formulas", () => {
  assert.equal(
    [...metricsCsv(history("raw"))].join(""),
    'time,cpu_usage [percent],"disk_read_bytes =cmd|""x"",y [bytes/s]"\r\n' +
      "1970-01-01T00:00:00.000Z,1.5,0\r\n1970-01-01T00:01:00.000Z,,1\r\n",
  );
});

Deno.test("metricsCsv() of figures that were rolled up has least and greatest, too", () => {
  const [head, rows] = metricsCsv(history("1m"));
  assert.ok(
    head!.startsWith("time,cpu_usage avg [percent],cpu_usage min [percent],cpu_usage max [percent],"),
  );
  assert.ok(rows!.startsWith("1970-01-01T00:00:00.000Z,1.5,1,2,"));
});

Deno.test("metricsCsv() gives all of many times, each once", () => {
  const count = 1001,
    times = Array.from({ length: count }, (_, at) => at * 1000),
    values = times.map(() => 1);
  const series = [{ name: "cpu_usage", unit: "percent" as const, min: values, avg: values, max: values }];
  const text = [...metricsCsv({ from: 0, to: 1, resolution: "raw", stepSeconds: 1, times, series })].join("");
  assert.equal(new Set(text.trimEnd().split("\r\n")).size, count + 1);
});
