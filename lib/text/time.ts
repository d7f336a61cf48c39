/** Points in time and spans as people read them. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../duration.ts";
import { t } from "../i18n/mod.ts";
import { perZone } from "../i18n/locale.ts";

/** A span in its two largest units: `12 d 4 h`, `3 h 20 m`, `14 m`. */
export function formatSpan(milliseconds: number): string {
  const span = Math.max(0, milliseconds);
  const days = Math.floor(span / DAY_MS);
  const hours = Math.floor(span % DAY_MS / HOUR_MS);
  const minutes = Math.floor(span % HOUR_MS / MINUTE_MS);
  if (days >= 100) return t("span.days", { days });
  if (days > 0) return t("span.days_hours", { days, hours });
  if (hours > 0) return t("span.hours_minutes", { hours, minutes });
  if (minutes > 0) return t("span.minutes", { minutes });
  return t("span.under_minute");
}

/** A span as a stopwatch shows it: `0:12`, `12:05`. */
export function formatStopwatch(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long ago: `14 m ago`; `just now` below a minute, and for a clock that runs ahead of ours. */
export function formatAgo(timestamp: number, now: number): string {
  const span = now - timestamp;
  return span < MINUTE_MS ? t("span.now") : t("span.ago", { span: formatSpan(span) });
}

const full = perZone({ dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

/** Date and time to the second, in the page's time zone. */
export function formatMoment(timestamp: number): string {
  return full().format(timestamp);
}

const minutes = perZone({
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Day of the week, date and time to the minute, in the page's time zone: when something ran, or will. */
export function formatWhen(timestamp: number): string {
  return minutes().format(timestamp);
}

const clock = perZone({ timeStyle: "medium", hourCycle: "h23" });

/** Time of day to the second, in the page's time zone. */
export function formatClock(timestamp: number): string {
  return clock().format(timestamp);
}

/** Whether a day begins, in the page's time zone; seconds count for nothing. */
export const isMidnight = (timestamp: number): boolean => formatClock(timestamp).startsWith("00:00");

const day = perZone({ day: "numeric", month: "short" });

/** Day and month, in the page's time zone. */
export function formatDay(timestamp: number): string {
  return day().format(timestamp);
}
