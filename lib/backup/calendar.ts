/** The days of a backup: how it went on each, and when it runs next. Pure. */
import type { Unrendered } from "../i18n/message.ts";
import type { Backup, BackupDayRun, BackupRun } from "../contract/backups.ts";
import { perLocale } from "../i18n/locale.ts";
import { dateIn, dateOf, DAYS, numberOf, weekdayOf } from "./dates.ts";
import { verifiedOf } from "./describe.ts";

/** Weeks that are shown: the one with today, and those before it. */
const WEEKS = 5;

/** A day of the calendar. */
export interface BackupDay {
  /** `2026-11-23`, in the time zone of the backup. */
  readonly date: string;
  /** How it went, where it ran. */
  readonly run?: BackupDayRun;
  /** It runs that day, at this moment. */
  readonly planned?: number;
  readonly today?: boolean;
}

/** The first day that is shown, a Monday, and today. */
function shownDays(timeZone: string, now: number): { readonly first: number; readonly today: number } {
  const today = numberOf(dateIn(timeZone)(now));
  return { first: today - weekdayOf(today) - (WEEKS - 1) * DAYS, today };
}

/** How a backup went on each of the days that its calendar shows, the newest first. @param runs the newest first */
export function daysOf(
  runs: readonly Unrendered<BackupRun>[],
  timeZone: string,
  now: number,
): BackupDayRun[] {
  const dateAt = dateIn(timeZone), { first } = shownDays(timeZone, now);
  const byDate = Map.groupBy(runs, ({ startedAt }) => dateAt(startedAt));
  return [...byDate].filter(([date]) => numberOf(date) >= first).map(([date, ofDay]) => {
    const { id: runId, startedAt, state } = ofDay.find((run) => run.state !== "skipped") ?? ofDay[0]!;
    const verified = verifiedOf(ofDay.flatMap(({ copies }) => copies));
    return { date, runId, startedAt, state, verified };
  });
}

/** The weeks up to the one with today, each from Monday on. */
export function calendarOf(
  { timeZone, next }: Pick<Backup, "timeZone" | "next">,
  days: readonly BackupDayRun[],
  now: number,
): BackupDay[][] {
  const dateAt = dateIn(timeZone), { first, today } = shownDays(timeZone, now);
  const byDate = new Map(days.map((each) => [each.date, each]));
  const planned = new Map(next.toReversed().map((at) => [dateAt(at), at]));
  const day = (number: number): BackupDay => {
    const date = dateOf(number), run = byDate.get(date), at = planned.get(date);
    return {
      date,
      ...(run && { run }),
      ...(at !== undefined && { planned: at }),
      ...(number === today && { today: true }),
    };
  };
  return Array.from(
    { length: WEEKS },
    (_, week) => Array.from({ length: DAYS }, (_, weekday) => day(first + week * DAYS + weekday)),
  );
}

const days = perLocale((language) =>
  new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" })
);

/** A date in words: `Nov 23`. */
export const dayText = (date: string): string => days().format(Date.parse(`${date}T00:00:00Z`));
