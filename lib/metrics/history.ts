/** Points of several series → columns over the same times, and their summary. Pure. */
import type { MetricHistory, MetricSummary } from "../contract/metrics.ts";
import type { MetricUnit } from "../contract/metric_series.ts";
import { between, type Points } from "./points.ts";
import { rollUp } from "./roll_up.ts";
import { floorTo } from "./resolutions.ts";

/** A series with its points. */
export interface NamedPoints {
  readonly name: string;
  readonly label: string;
  readonly unit: MetricUnit;
  readonly points: Points;
}

/** Seconds since 1970: from (included), to (not included). */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A figure in an answer: null if it is not a number. */
const told = (value: number | undefined) => value === undefined || !Number.isFinite(value) ? null : value;

const named = ({ name, label, unit }: NamedPoints) => ({ name, ...(label !== "" && { label }), unit });

/**
 * The step at which raw points stand: the interval, or a longer one at which most of them were taken. @param interval seconds
 */
export function rawStep(series: readonly NamedPoints[], interval: number): number {
  const counts = new Map<number, number>();
  for (const { points: { times } } of series) {
    for (let index = 1; index < times.length; index++) {
      const difference = times[index]! - times[index - 1]!;
      counts.set(difference, (counts.get(difference) ?? 0) + 1);
    }
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return Math.max(interval, most?.[0] ?? 0);
}

/** Columns over all times of the range. Where a series has no point there is null. @param step seconds */
export function columns(
  series: readonly NamedPoints[],
  { from, to }: Range,
  step: number,
): Pick<MetricHistory, "times" | "series" | "stepSeconds"> {
  const first = floorTo(from, step);
  const times = Array.from(
    { length: Math.max(0, Math.ceil((to - first) / step)) },
    (_, at) => first + at * step,
  );
  return {
    stepSeconds: step,
    times: times.map((time) => time * 1000),
    series: series.map((each) => {
      const { times: own, avg, min = avg, max = avg } = rollUp(between(each.points, first, to), step);
      const column = (values: readonly number[]) => {
        const filled: (number | null)[] = new Array(times.length).fill(null);
        for (let index = 0; index < own.length; index++) {
          filled[(own[index]! - first) / step] = told(values[index]);
        }
        return filled;
      };
      return { ...named(each), min: column(min), avg: column(avg), max: column(max) };
    }),
  };
}

/** A percentile of rising figures, the nearest rank; undefined of none. @param share 0–1 */
export function percentile(rising: readonly number[], share: number): number | undefined {
  return rising[Math.max(0, Math.ceil(rising.length * share) - 1)];
}

/** Mean, extremes and percentiles of each series. @param step seconds from one point to the next */
export function summary(
  series: readonly NamedPoints[],
  { from, to }: Range,
  step: number,
): MetricSummary["series"] {
  const slots = Math.max(1, Math.ceil((to - from) / step));
  return series.map((each) => {
    const { avg, min = avg, max = avg } = rollUp(between(each.points, from, to), step);
    const rising = [...avg].sort((a, b) => a - b);
    const sum = avg.reduce((total, value) => total + value, 0);
    const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
    return {
      ...named(each),
      points: avg.length,
      coverage: Math.min(1, Math.round(avg.length / slots * 1000) / 1000),
      last: told(avg.at(-1)),
      min: told(least(min)),
      avg: told(avg.length === 0 ? undefined : sum / avg.length),
      max: told(most(max)),
      p50: told(percentile(rising, 0.5)),
      p90: told(percentile(rising, 0.9)),
      p95: told(percentile(rising, 0.95)),
      p99: told(percentile(rising, 0.99)),
    };
  });
}
