/** Ranges and resolutions of metrics. Pages read them in the browser: there is no schema here. */
import { DAY_MS, HOUR_MS } from "../duration.ts";

/** Ranges that end now, and their milliseconds. */
export const METRIC_WINDOWS = {
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "24h": DAY_MS,
  "7d": 7 * DAY_MS,
  "30d": 30 * DAY_MS,
  "365d": 365 * DAY_MS,
} as const;
export type MetricWindow = keyof typeof METRIC_WINDOWS;

/** How fine figures are kept: as taken, and summed up over so long. */
export const METRIC_RESOLUTIONS = ["raw", "1m", "15m", "1h"] as const;
export type MetricResolution = typeof METRIC_RESOLUTIONS[number];

/** Most times in one answer; a finer resolution is refused. */
export const MOST_METRIC_TIMES = 3000;
