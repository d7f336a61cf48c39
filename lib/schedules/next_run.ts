/**
 * When a schedule runs next. Pure: croner finds the times, with time zones and daylight saving.
 *
 * A time of day that a day does not have, because clocks go forward over it, is the first moment after the gap. One that
 * a day has twice, because clocks go back, is the first of the two. What cron repeats within a day goes on as time does.
 */
import { Cron } from "croner";
import { WEEKDAYS } from "../contract/schedules.ts";
import type { Timing } from "./timing.ts";

/** Five fields: there are no seconds, so that a minute is the least. One moment has all seven, its year the last. */
const MODES = { once: "7-part", other: "5-part" } as const;

const minuteAndHour = (time: string) => `${Number(time.slice(3))} ${Number(time.slice(0, 2))}`;

/** Days of the month as cron has them: a day that a month does not have is its last one. */
function monthly(time: string, day: number): string[] {
  const at = minuteAndHour(time);
  if (day <= 28) return [`${at} ${day} * *`];
  return day === 31 ? [`${at} L * *`] : [`${at} ${day} 1,3-12 *`, `${at} L 2 *`];
}

/** The patterns of a schedule: it runs when any of them does. */
function patternsOf(timing: Timing): readonly string[] {
  switch (timing.frequency) {
    case "once": {
      const [year, month, day] = timing.at.slice(0, 10).split("-").map(Number);
      return [`0 ${minuteAndHour(timing.at.slice(11))} ${day} ${month} * ${year}`];
    }
    case "daily":
      return [`${minuteAndHour(timing.time)} * * *`];
    case "weekly": {
      // Cron's Monday is 1, and so is ours behind this.
      const days = timing.weekdays.map((day) => WEEKDAYS.indexOf(day) + 1);
      return [`${minuteAndHour(timing.time)} * * ${days.join(",")}`];
    }
    case "monthly":
      return monthly(timing.time, timing.monthDay);
    case "cron":
      return [timing.cron];
  }
}

/** Last result for a timing: of every moment from `after` up to `next` the next run is the same. */
interface CachedRun {
  readonly crons: readonly Cron[];
  readonly after: number;
  readonly next: number | null;
}

/** Patterns are slow to read and times slow to find, and whoever waits asks for the same one again and again. */
const lately = new WeakMap<Timing, CachedRun>();

const cronsOf = (timing: Timing): readonly Cron[] =>
  patternsOf(timing).map((pattern) => {
    const mode = timing.frequency === "once" ? MODES.once : MODES.other;
    return new Cron(pattern, { mode, paused: true, timezone: timing.timeZone });
  });

/**
 * The first run after a moment; null where there is none.
 *
 * @param timing never changed once it was asked about: what was found is remembered by the object
 * @param after milliseconds since 1970
 * @throws {TypeError} for a pattern that is none
 * @throws {RangeError} for a value in it that is none
 */
export function nextRun(timing: Timing, after: number): number | null {
  const known = lately.get(timing);
  if (known !== undefined && after >= known.after && after < (known.next ?? Infinity)) return known.next;
  const crons = known?.crons ?? cronsOf(timing), from = new Date(after);
  const times = crons.flatMap((cron) => cron.nextRun(from)?.getTime() ?? []);
  const next = times.length === 0 ? null : Math.min(...times);
  lately.set(timing, { crons, after, next });
  return next;
}

/** The next runs after a moment, at most `most`. @throws as {@link nextRun} */
export function nextRuns(timing: Timing, after: number, most: number): number[] {
  const times: number[] = [];
  for (let at: number | null = after; times.length < most;) {
    at = nextRun(timing, at);
    if (at === null) break;
    times.push(at);
  }
  return times;
}
