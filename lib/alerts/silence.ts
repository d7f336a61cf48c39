/** When a silence holds: once, or again and again as a maintenance window. Pure. */
import { MINUTE_MS } from "../duration.ts";
import type { AlertSilence, SilenceRepeat } from "../contract/alerts.ts";
import { ContractError } from "../contract/errors.ts";
import { WEEKDAYS } from "../contract/schedules.ts";
import { nextRun } from "../schedules/next_run.ts";
import type { Timing } from "../schedules/timing.ts";
import { message } from "../i18n/message.ts";

const DAY_MINUTES = 24 * 60;

/** Minutes from one window to the next, at the least: a longer window would never end. */
const LEAST_PERIOD: Readonly<Record<SilenceRepeat, number>> = {
  daily: DAY_MINUTES - 60, // the day on which the clocks go forward
  weekly: 7 * DAY_MINUTES - 60,
  monthly: 28 * DAY_MINUTES - 60,
};

/** The times at which a silence begins. @param startsAt of its first window, milliseconds since 1970 */
function timingOf(startsAt: number, repeat: SilenceRepeat, timeZone: string): Timing {
  const begin = Temporal.Instant.fromEpochMilliseconds(startsAt).toZonedDateTimeISO(timeZone);
  const time = begin.toPlainTime().toString({ smallestUnit: "minute" });
  switch (repeat) {
    case "daily":
      return { frequency: "daily", time, timeZone };
    case "weekly":
      return { frequency: "weekly", time, weekdays: [WEEKDAYS[begin.dayOfWeek - 1]!], timeZone };
    case "monthly":
      return { frequency: "monthly", time, monthDay: begin.day, timeZone };
  }
}

/** A silence as it is kept: its first window says at what time of which day the others are. */
export interface StoredSilence extends AlertSilence {
  /** The zone of the time of day; with `repeat`. */
  readonly timeZone?: string;
}

/** A silence with the window that holds, or the next one; one that does not repeat as it is. */
export function silenceAt(silence: StoredSilence, now: number): AlertSilence {
  const { timeZone = "UTC", ...told } = silence, { startsAt, endsAt, repeat } = told;
  if (repeat === undefined) return told;
  const length = endsAt - startsAt;
  // Later than `now - length` is the first that is not over
  const begin = nextRun(timingOf(startsAt, repeat, timeZone), Math.max(startsAt - 1, now - length));
  return begin === null ? told : { ...told, startsAt: begin, endsAt: begin + length };
}

/** Whether a silence holds. */
export function holds(silence: StoredSilence, now: number): boolean {
  const { startsAt, endsAt } = silenceAt(silence, now);
  return startsAt <= now && now < endsAt;
}

/** Whether a silence never holds again. */
export const isOver = ({ endsAt, repeat }: AlertSilence, now: number): boolean =>
  repeat === undefined && endsAt <= now;

/**
 * The first window of a silence. One that repeats begins at a whole minute.
 * @throws {ContractError} InvalidInput for one that lasts until its next, or longer
 */
export function firstWindow(
  startsAt: number,
  minutes: number,
  repeat: SilenceRepeat | undefined,
): { startsAt: number; endsAt: number } {
  if (repeat !== undefined && minutes > LEAST_PERIOD[repeat]) {
    throw new ContractError("InvalidInput", {
      reason: message`minutes must be at most ${LEAST_PERIOD[repeat]} for one that repeats ${repeat}`,
      field: "minutes",
    });
  }
  const begin = repeat === undefined ? startsAt : Math.floor(startsAt / MINUTE_MS) * MINUTE_MS;
  return { startsAt: begin, endsAt: begin + minutes * MINUTE_MS };
}
