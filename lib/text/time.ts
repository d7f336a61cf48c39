/** Points in time and spans as people read them. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../duration.ts";
import { perLocale } from "../i18n/locale.ts";
import { t } from "../i18n/mod.ts";

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

const full = perLocale((language) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })
);

/** Date and time to the second, in the reader's time zone. */
export function formatMoment(timestamp: number): string {
  return full().format(timestamp);
}

const fullUtc = perLocale((language) =>
  new Intl.DateTimeFormat(language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
    timeZone: "UTC",
  })
);

/** Date and time to the second, in UTC: what is compared between hosts and with logs. */
export function formatUtc(timestamp: number): string {
  return fullUtc().format(timestamp);
}

const clock = perLocale((language) =>
  new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" })
);

/** Time of day to the second, in the reader's time zone. */
export function formatClock(timestamp: number): string {
  return clock().format(timestamp);
}

const day = perLocale((language) => new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }));

/** Day and month, in the reader's time zone. */
export function formatDay(timestamp: number): string {
  return day().format(timestamp);
}
