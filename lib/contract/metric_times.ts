/** Ranges and resolutions of metrics. Pages read them in the browser: there is no schema here. */

/** Ranges that end now, and their milliseconds. */
export const METRIC_WINDOWS = {
  "1h": 3600_000,
  "6h": 6 * 3600_000,
  "24h": 24 * 3600_000,
  "7d": 7 * 24 * 3600_000,
  "30d": 30 * 24 * 3600_000,
  "365d": 365 * 24 * 3600_000,
} as const;
export type MetricWindow = keyof typeof METRIC_WINDOWS;

/** How fine figures are kept: as taken, and summed up over so long. */
export const METRIC_RESOLUTIONS = ["raw", "1m", "15m", "1h"] as const;
export type MetricResolution = typeof METRIC_RESOLUTIONS[number];

/** Most times in one answer; a finer resolution is refused. */
export const MOST_METRIC_TIMES = 3000;
