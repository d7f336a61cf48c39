/** Moments by the clock of a schedule, where that is not the page's. On the server alone. */

/** Day of the week, date and time to the minute in a time zone: `Mon, Nov 23, 2026, 03:30`. */
export const formatOwnClock = (at: number, timeZone: string, language: string): string =>
  new Intl.DateTimeFormat(language, {
    timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
