/** The graph within a finding: the course of the series that shows it. Pure. */
import type { MetricHistory } from "../contract/metrics.ts";
import type { MetricUnit } from "../contract/metric_series.ts";
import { type ChartLine, chartLineOf, gridOf } from "../metrics/chart_data.ts";

/** Line of a finding's graph, with its highest and mean value. */
export interface FindingGraphData {
  readonly label?: string;
  readonly unit: MetricUnit;
  readonly line: ChartLine;
  readonly highest: number;
  readonly mean: number;
}

/** Share of a range of which figures must be known: of less there is nothing to see. */
const LEAST_KNOWN = 0.1;

/** The graph of a history's first series; undefined where little is known of it. */
export function findingGraph(history: MetricHistory): FindingGraphData | undefined {
  const [first] = history.series;
  if (first === undefined) return undefined;
  const known = first.avg.filter((value) => value !== null);
  if (known.length < Math.max(2, history.times.length * LEAST_KNOWN)) return undefined;
  return {
    unit: first.unit,
    line: chartLineOf(first, history.times, gridOf(history)),
    highest: first.max.reduce((most: number, value) => Math.max(most, value ?? -Infinity), -Infinity),
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    ...(first.label !== undefined && { label: first.label }),
  };
}
