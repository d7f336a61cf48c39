/** How fine figures are kept, and for which range which is right. Pure. */
import { METRIC_RESOLUTIONS, type MetricResolution, MOST_METRIC_TIMES } from "../contract/metric_times.ts";

/** Seconds in an hour: what is taken in one is rolled up together. */
export const HOUR_S = 3600;
/** Seconds in a day. */
export const DAY_S = 24 * HOUR_S;

/** A resolution. Each is made of the raw figures of an hour, so a step divides the hour. */
export interface Resolution {
  readonly name: MetricResolution;
  /** As it stands in the store. */
  readonly id: number;
  /** Seconds from one point to the next; 0: as they were taken. */
  readonly step: number;
  /** Seconds of which the points stand together in the store. */
  readonly chunk: number;
}

/** From fine to coarse. An id that was released is never changed. */
export const RESOLUTIONS: readonly Resolution[] = [
  { name: "raw", id: 0, step: 0, chunk: HOUR_S },
  { name: "1m", id: 1, step: 60, chunk: 6 * HOUR_S },
  { name: "15m", id: 2, step: 15 * 60, chunk: 4 * DAY_S },
  { name: "1h", id: 3, step: HOUR_S, chunk: 16 * DAY_S },
];

/** The resolution of a name. */
export function resolutionOf(name: MetricResolution): Resolution {
  return RESOLUTIONS[METRIC_RESOLUTIONS.indexOf(name)]!;
}

/** The start of the step or chunk that a time is in. Seconds. */
export function floorTo(time: number, step: number): number {
  return Math.floor(time / step) * step;
}

/** Times that a range has at a resolution. @param interval seconds between raw figures */
export function timesIn(seconds: number, { step }: Resolution, interval: number): number {
  return Math.ceil(seconds / (step || interval));
}

/**
 * The finest resolution that has few enough times for the range, and is kept for as long as its beginning is old; else
 * the coarsest.
 *
 * @param range seconds: how long it is, and how long ago it begins
 * @param keptDays days that each resolution is kept
 */
export function chooseResolution(
  range: { readonly seconds: number; readonly age: number },
  interval: number,
  keptDays: (name: MetricResolution) => number,
): Resolution {
  return RESOLUTIONS.find((each) =>
    timesIn(range.seconds, each, interval) <= MOST_METRIC_TIMES / 2 &&
    range.age <= keptDays(each.name) * DAY_S
  ) ?? RESOLUTIONS.at(-1)!;
}
