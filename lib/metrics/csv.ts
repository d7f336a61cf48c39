/** Figures over time as CSV: a row a time, of each series a column, or three where it has least and greatest. Pure. */
import type { MetricHistory } from "../contract/metrics.ts";
import { csvRow } from "../text/csv.ts";

/** Rows that are made at once. */
const ROWS_AT_ONCE = 200;

type Series = MetricHistory["series"][number];

/** Title of a column: the series, its part, its unit. */
const titleOf = ({ name, label, unit }: Series, what: string) =>
  `${[name, label].filter((part) => part !== undefined).join(" ")}${what} [${unit}]`;

/** Columns of a series: `raw` is one reading at each time, so that all three are the same. */
const OF_RAW = [["", "avg"]] as const;
const OF_ROLLED_UP = [[" avg", "avg"], [" min", "min"], [" max", "max"]] as const;

/** The text of a history, part by part: what a gap is stays empty. */
export function* metricsCsv({ times, series, resolution }: MetricHistory): Generator<string> {
  const columns = series.flatMap((each) =>
    (resolution === "raw" ? OF_RAW : OF_ROLLED_UP).map(([what, of]) => ({
      title: titleOf(each, what),
      values: each[of],
    }))
  );
  yield csvRow(["time", ...columns.map(({ title }) => title)]);
  for (let from = 0; from < times.length; from += ROWS_AT_ONCE) {
    yield times.slice(from, from + ROWS_AT_ONCE).map((time, index) =>
      csvRow([new Date(time).toISOString(), ...columns.map(({ values }) => values[from + index])])
    ).join("");
  }
}
