/** Retention: the copies of a VM that are kept. Pure. */
import { dateIn, dateOf, numberOf, weekdayOf } from "./dates.ts";

/** How many of each kind. */
export interface Retention {
  /** The newest, whatever their age. */
  readonly keep: number;
  /** The last copy of each of so many days, weeks, months and years that have one. */
  readonly keepDaily: number;
  readonly keepWeekly: number;
  readonly keepMonthly: number;
  readonly keepYearly: number;
}

/** A copy, as far as it counts. */
export interface DatedCopy {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

/** The Monday of the week of a date. */
function weekOf(date: string): string {
  const number = numberOf(date);
  return dateOf(number - weekdayOf(number));
}

/** Kind → the period that a date is in. */
const PERIODS = [
  ["keepDaily", (date: string) => date],
  ["keepWeekly", weekOf],
  ["keepMonthly", (date: string) => date.slice(0, 7)],
  ["keepYearly", (date: string) => date.slice(0, 4)],
] as const satisfies readonly (readonly [keyof Retention, (date: string) => string])[];

/** When copies are looked at. */
export interface PruneMoment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Ids of the copies that were made just now. */
  readonly made: ReadonlySet<string>;
  /** Zone of the days, weeks, months and years that copies are kept of: the one that the time of day was set in. */
  readonly timeZone: string;
}

/**
 * The copies of one VM that may go. The newest one never does, nor what was made just now. Copies that were taken later than
 * now were dated by a clock that was wrong, or it is wrong now: they count as the oldest.
 */
export function toPrune<T extends DatedCopy>(
  copies: readonly T[],
  retention: Retention,
  { now, made, timeZone }: PruneMoment,
): T[] {
  const rank = ({ id, takenAt }: DatedCopy) => made.has(id) ? 0 : takenAt <= now ? 1 : 2;
  const newest = [...copies].sort((a, b) =>
    rank(a) - rank(b) || b.takenAt - a.takenAt || (a.id < b.id ? 1 : -1)
  );
  const kept = new Set(
    newest.filter((copy, place) => place < Math.max(1, retention.keep) || made.has(copy.id)),
  );
  const dateAt = dateIn(timeZone);
  for (const [kind, periodOf] of PERIODS) {
    const periods = new Set<string>();
    for (const copy of newest) {
      if (periods.size >= retention[kind]) break;
      const period = periodOf(dateAt(copy.takenAt));
      if (periods.has(period)) continue;
      periods.add(period);
      kept.add(copy);
    }
  }
  return newest.filter((copy) => !kept.has(copy));
}
