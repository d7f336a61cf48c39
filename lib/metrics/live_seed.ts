/** Stored samples of the last minutes, which the live graphs continue from. Pure. */
import type { ChartSet } from "./chart_data.ts";
import { timesOf } from "./chart_data.ts";
import { MIB } from "../text/byte_units.ts";

/** Charts that live graphs have, too; their lines in the same order. */
export const LIVE_CHARTS = ["cpu", "memory", "disk", "network"] as const;
export type LiveChart = typeof LIVE_CHARTS[number];

/** Figures of a time: of each chart as many as its live graph has lines. */
export interface LiveSeed {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly values: Readonly<Record<LiveChart, readonly (number | null)[]>>;
}

/** Bytes of memory → MiB, as live figures have it. */
const FACTORS: Readonly<Partial<Record<LiveChart, number>>> = { memory: 1 / MIB };

/** The times from the first at which something is known, with what live graphs show of it: a gap stays one. */
export function liveSeed(set: ChartSet): LiveSeed[] {
  const byId = new Map(set.charts.map((chart) => [chart.id, chart.lines]));
  const all = timesOf(set).map((time, at) => ({
    at: time * 1000,
    values: Object.fromEntries(LIVE_CHARTS.map((id) => [
      id,
      (byId.get(id) ?? []).map(({ avg }) => {
        const value = avg[at] ?? null;
        return value === null ? null : value * (FACTORS[id] ?? 1);
      }),
    ])) as Record<LiveChart, (number | null)[]>,
  }));
  const isKnown = ({ values }: LiveSeed) =>
    LIVE_CHARTS.some((id) => values[id].some((value) => value !== null));
  const first = all.findIndex(isKnown);
  return first < 0 ? [] : all.slice(first, all.findLastIndex(isKnown) + 1);
}
