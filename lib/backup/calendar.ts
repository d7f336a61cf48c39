/** The days of a backup: how it went on each, and when it runs next. Pure. */
import { DAY_MS } from "../duration.ts";
import type { Backup, BackupRun } from "../contract/backups.ts";
import { perLocale } from "../i18n/locale.ts";
import { verifiedOf } from "./describe.ts";

/** Weeks that are shown: the one with today, and those before it. */
const WEEKS = 5;
const DAYS = 7;

/** A day of the calendar. */
export interface BackupDay {
  /** `2026-11-23`, in the time zone of the backup. */
  readonly date: string;
  /** Its newest run, or what was left out where there was none; and what is known of all that was copied that day. */
  readonly run?: BackupRun;
  readonly verified?: ReturnType<typeof verifiedOf>;
  /** It runs that day, at this moment. */
  readonly planned?: number;
  readonly today?: boolean;
}

/** A moment's date in a time zone. Sweden writes dates as ISO 8601 does. */
function dateIn(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short" });
  return (at) => format.format(at);
}

/** Days since 1970 of a date, and back: calendars have no time zone. */
const numberOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
const dateOf = (number: number) => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** Monday is 0; the first of January 1970 was a Thursday. */
const weekdayOf = (number: number) => (number + 3) % DAYS;

/** The weeks up to the one with today, each from Monday on. @param runs the newest first */
export function calendarOf(
  { timeZone, next }: Pick<Backup, "timeZone" | "next">,
  runs: readonly BackupRun[],
  now: number,
): BackupDay[][] {
  const dateAt = dateIn(timeZone);
  const byDate = Map.groupBy(runs, ({ startedAt }) => dateAt(startedAt));
  const planned = new Map(next.toReversed().map((at) => [dateAt(at), at]));
  const today = numberOf(dateAt(now)), monday = today - weekdayOf(today);
  const day = (number: number): BackupDay => {
    const date = dateOf(number), ofDay = byDate.get(date), at = planned.get(date);
    return {
      date,
      ...(ofDay && {
        run: ofDay.find(({ state }) => state !== "skipped") ?? ofDay[0]!,
        verified: verifiedOf(ofDay.flatMap(({ copies }) => copies)),
      }),
      ...(at !== undefined && { planned: at }),
      ...(number === today && { today: true }),
    };
  };
  return Array.from(
    { length: WEEKS },
    (_, week) =>
      Array.from({ length: DAYS }, (_, weekday) => day(monday - (WEEKS - 1 - week) * DAYS + weekday)),
  );
}

const days = perLocale((language) =>
  new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" })
);

/** A date in words: `Nov 23`. */
export const dayText = (date: string): string => days().format(Date.parse(`${date}T00:00:00Z`));
