/** The range of time that a page of graphs shows, as its address has it. Pure. */
import { METRIC_WINDOWS, type MetricWindow } from "../contract/metric_times.ts";

/** Ranges that end now, as a page offers them; `live` is the last minutes, reading by reading. */
export const PAGE_WINDOWS = ["live", "1h", "6h", "24h", "7d", "30d"] as const;
export type PageWindow = typeof PAGE_WINDOWS[number];

/** A range: so long until now, or from one time to another. Milliseconds since 1970. */
export type PageRange =
  | { readonly window: PageWindow }
  | { readonly from: number; readonly to: number };

/** Range of an address without one, or with an invalid one. */
export const DEFAULT_RANGE: PageRange = { window: "1h" };

/** Milliseconds of what `live` shows. */
export const LIVE_MS = 300_000;
/** The least range that a page shows, in milliseconds: a few readings. */
export const LEAST_RANGE_MS = 120_000;
/** The longest: as long as figures can be kept. */
const MOST_RANGE_MS = METRIC_WINDOWS["365d"];

/** A time of an address: ISO 8601, or milliseconds since 1970. */
function timeIn(text: string | null): number | undefined {
  if (text === null) return undefined;
  const time = /^\d{9,16}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\d/.test(text)
    ? Date.parse(text)
    : NaN;
  return Number.isSafeInteger(time) && time >= 0 ? time : undefined;
}

/** A range of at least {@link LEAST_RANGE_MS} around the middle of another, and none that ends after now. */
export function rangeBetween(one: number, other: number, now: number): PageRange {
  const middle = (one + other) / 2;
  const half = Math.min(MOST_RANGE_MS, Math.max(LEAST_RANGE_MS, Math.abs(other - one))) / 2;
  const to = Math.min(now, Math.round(middle + half));
  return { from: Math.max(0, Math.min(Math.round(middle - half), to - LEAST_RANGE_MS)), to };
}

/** The range that an address asks for. What makes no sense is {@link DEFAULT_RANGE}. */
export function rangeIn(query: URLSearchParams, now: number): PageRange {
  const window = PAGE_WINDOWS.find((each) => each === query.get("range"));
  if (window !== undefined) return { window };
  const from = timeIn(query.get("from")), to = timeIn(query.get("to")) ?? now;
  return from === undefined || from >= Math.min(to, now) ? DEFAULT_RANGE : rangeBetween(from, to, now);
}

/** A range as the part of an address after `?`. Whole seconds, in UTC: it can be read, and shared. */
export function rangeQuery(range: PageRange): Record<string, string> {
  if ("window" in range) return { range: range.window };
  const text = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
  return { from: text(range.from), to: text(range.to) };
}

/** A range as the commands take it. */
export function rangeInput(
  range: PageRange,
  now: number,
): { readonly window: MetricWindow } | { readonly since: number; readonly until: number } {
  if (!("window" in range)) return { since: range.from, until: range.to };
  return range.window === "live" ? { since: now - LIVE_MS, until: now } : { window: range.window };
}
