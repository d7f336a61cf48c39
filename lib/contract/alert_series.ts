/** Series that alerts can watch: every series that is kept, and ratios of two of them. */
import {
  HOST_SERIES,
  HOST_SERIES_NAMES,
  type MetricSeries,
  VM_SERIES,
  VM_SERIES_NAMES,
} from "./metric_series.ts";

/** A share, in percent, of one series in another of the same subject and part. */
export interface AlertRatio {
  readonly of: string;
  readonly in: string;
}

/** Shares of VMs. Bytes say little where every VM has another size. */
export const VM_RATIOS = {
  memory_usage: { of: "memory_used", in: "memory_balloon" },
  disk_usage: { of: "disk_allocation", in: "disk_capacity" },
  filesystem_usage: { of: "filesystem_used", in: "filesystem_size" },
} as const satisfies Record<string, AlertRatio>;

/** Shares of hosts. */
export const HOST_RATIOS = {
  memory_usage: { of: "memory_used", in: "memory_total" },
  swap_usage: { of: "swap_used", in: "swap_total" },
  pool_usage: { of: "pool_used", in: "pool_capacity" },
} as const satisfies Record<string, AlertRatio>;

const PERCENT: MetricSeries = { unit: "percent", kind: "gauge" };

const withRatios = (
  series: Readonly<Record<string, MetricSeries>>,
  ratios: Readonly<Record<string, AlertRatio>>,
): Readonly<Record<string, MetricSeries>> => ({
  ...series,
  ...Object.fromEntries(
    Object.entries(ratios).map(([name, { of }]) => {
      const part = series[of]?.of;
      return [name, part === undefined ? PERCENT : { ...PERCENT, of: part }];
    }),
  ),
});

/** Series that alerts on VMs can watch, by name. */
export const VM_ALERT_SERIES = withRatios(VM_SERIES, VM_RATIOS);
/** Series that alerts on hosts can watch, by name. */
export const HOST_ALERT_SERIES = withRatios(HOST_SERIES, HOST_RATIOS);

export type AlertSeriesName =
  | typeof VM_SERIES_NAMES[number]
  | typeof HOST_SERIES_NAMES[number]
  | keyof typeof VM_RATIOS
  | keyof typeof HOST_RATIOS;
export const ALERT_SERIES_NAMES = [
  ...new Set([...Object.keys(VM_ALERT_SERIES), ...Object.keys(HOST_ALERT_SERIES)]),
] as AlertSeriesName[];
