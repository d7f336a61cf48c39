/** Summary of a graph in its heading. Pure. */
import type { MetricSummary } from "../contract/metrics.ts";
import type { Chart } from "./charts.ts";

type Row = MetricSummary["series"][number];

/** The figures of a graph's head. */
export interface ChartHead {
  readonly unit: Row["unit"];
  /** The 95th percentile; missing where there are several lines: theirs cannot be put together. */
  readonly p95?: number;
  /** The greatest of all lines. */
  readonly max: number;
}

/**
 * Summary of a graph of one part, over all of its lines.
 *
 * @param part the part that is shown; undefined: all, or there are none
 * @returns undefined if parts are combined, whose figures at one time the summary does not have
 */
export function chartHead(
  chart: Pick<Chart, "series">,
  part: string | undefined,
  summary: readonly Row[],
): ChartHead | undefined {
  const names = chart.series.map(({ name }) => name);
  const rows = summary.filter(({ name, label }) =>
    names.includes(name as typeof names[number]) && (part === undefined || label === part)
  );
  if (new Set(rows.map(({ name }) => name)).size !== rows.length) return undefined;
  const known = rows.flatMap(({ max }) => max ?? []), [first] = rows;
  if (first === undefined || known.length === 0) return undefined;
  const { p95, unit } = first;
  return { unit, max: Math.max(...known), ...(rows.length === 1 && p95 !== null && { p95 }) };
}
