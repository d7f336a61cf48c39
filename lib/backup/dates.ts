/** Dates as calendars have them, and the time zones that they are in. Pure. */
import { DAY_MS } from "../duration.ts";

/** Days of a week. */
export const DAYS = 7;

/** A moment's date in a time zone. Sweden writes dates as ISO 8601 does. */
export function dateIn(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short" });
  return (at) => format.format(at);
}

/** Days since 1970 of a date, and back: calendars have no time zone. */
export const numberOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
export const dateOf = (number: number) => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** Monday is 0; the first of January 1970 was a Thursday. */
export const weekdayOf = (number: number) => (number + 3) % DAYS;
