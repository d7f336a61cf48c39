/** Which copies of a VM are kept. Pure. */

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
export interface Kept {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

const day = (at: number) => new Date(at).toISOString().slice(0, 10);
/** The Monday (UTC) of a week. */
function week(at: number): string {
  const date = new Date(at);
  date.setUTCDate(date.getUTCDate() - (date.getUTCDay() + 6) % 7);
  return date.toISOString().slice(0, 10);
}

const PERIODS = [
  ["keepDaily", day],
  ["keepWeekly", week],
  ["keepMonthly", (at: number) => day(at).slice(0, 7)],
  ["keepYearly", (at: number) => day(at).slice(0, 4)],
] as const satisfies readonly (readonly [keyof Retention, (at: number) => string])[];

/** When copies are looked at. */
export interface PruneMoment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Ids of the copies that were made just now. */
  readonly made: ReadonlySet<string>;
}

/**
 * The copies of one VM that may go. The newest one never does, nor what was made just now. Copies that were taken later than
 * now were dated by a clock that was wrong, or it is wrong now: they count as the oldest. Days are those of UTC: a copy must
 * not be kept here and deleted there.
 */
export function toPrune<T extends Kept>(
  copies: readonly T[],
  retention: Retention,
  { now, made }: PruneMoment,
): T[] {
  const rank = ({ id, takenAt }: Kept) => made.has(id) ? 0 : takenAt <= now ? 1 : 2;
  const newest = [...copies].sort((a, b) =>
    rank(a) - rank(b) || b.takenAt - a.takenAt || (a.id < b.id ? 1 : -1)
  );
  const kept = new Set(
    newest.filter((copy, place) => place < Math.max(1, retention.keep) || made.has(copy.id)),
  );
  for (const [kind, periodOf] of PERIODS) {
    const periods = new Set<string>();
    for (const copy of newest) {
      if (periods.size >= retention[kind]) break;
      const period = periodOf(copy.takenAt);
      if (periods.has(period)) continue;
      periods.add(period);
      kept.add(copy);
    }
  }
  return newest.filter((copy) => !kept.has(copy));
}
