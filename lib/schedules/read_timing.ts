/** Completes and checks the fields of a schedule's times. Pure. */
import { ContractError } from "../contract/errors.ts";
import { type ScheduleFrequency, type Weekday, WEEKDAYS } from "../contract/schedules.ts";
import { message, type Sentence } from "../i18n/message.ts";
import { messageOf } from "../text/message.ts";
import { nextRun } from "./next_run.ts";
import type { Timing, TimingFields } from "./timing.ts";

const refuse = (field: string, reason: Sentence) =>
  new ContractError("InvalidInput", { reason: message`${field} ${reason}`, field });

/** The name of a time zone as it is written in lists. @throws {ContractError} InvalidInput for one that is not known */
function zoneOf(name: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse("timeZone", "is no time zone. Give its IANA name, as Europe/Berlin");
  }
}

function needed<T>(field: string, value: T | undefined, frequency: ScheduleFrequency): T {
  if (value === undefined) throw refuse(field, message`is needed for the frequency ${frequency}`);
  return value;
}

/** Refuses a date that no calendar has: it would become another one. @throws {ContractError} InvalidInput */
function momentIn(at: string): string {
  const text = at.slice(0, 16), parsed = new Date(`${text}Z`);
  if (!Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text)) return text;
  throw refuse("at", "is no date and time. Write it as 2026-12-24T18:00");
}

/** Words that stand for an expression. */
const NICKNAMES = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

/**
 * Checks a cron pattern. Others that croner takes are a date, have seconds, or have no time (`@reboot`).
 *
 * @throws {ContractError} InvalidInput
 */
function patternIn(cron: string): string {
  const text = cron.trim();
  if (NICKNAMES.includes(text.toLowerCase()) || text.split(/\s+/).length === 5) return text;
  throw refuse(
    "cron",
    message`must have five parts: minute, hour, day, month and weekday, as 30 3 * * 1-5; or be one of ${
      NICKNAMES.join(", ")
    }`,
  );
}

const daysOf = (weekdays: readonly Weekday[]) => WEEKDAYS.filter((day) => weekdays.includes(day));

/** Fields of each frequency. */
const OF: {
  readonly [F in ScheduleFrequency]: (fields: TimingFields, timeZone: string) => Timing & { frequency: F };
} = {
  once: ({ at }, timeZone) => ({ frequency: "once", at: momentIn(needed("at", at, "once")), timeZone }),
  daily: ({ time }, timeZone) => ({ frequency: "daily", time: needed("time", time, "daily"), timeZone }),
  weekly: ({ time, weekdays }, timeZone) => ({
    frequency: "weekly",
    time: needed("time", time, "weekly"),
    weekdays: daysOf(needed("weekdays", weekdays?.length === 0 ? undefined : weekdays, "weekly")),
    timeZone,
  }),
  monthly: ({ time, monthDay }, timeZone) => ({
    frequency: "monthly",
    time: needed("time", time, "monthly"),
    monthDay: needed("monthDay", monthDay, "monthly"),
    timeZone,
  }),
  cron: ({ cron }, timeZone) => ({
    frequency: "cron",
    cron: patternIn(needed("cron", cron, "cron")),
    timeZone,
  }),
};

/** The field that says when, by frequency: what is wrong with the time is said there. */
const FIELD = { once: "at", daily: "time", weekly: "time", monthly: "time", cron: "cron" } as const;

/**
 * Makes what is given whole: fields of other frequencies are left out.
 *
 * @param now milliseconds since 1970
 * @param hostZone the time zone where none is given
 * @throws {ContractError} InvalidInput, naming the field: what is missing, is none, or never comes
 */
export function timingOf(fields: TimingFields, now: number, hostZone: string): Timing {
  const timing = OF[fields.frequency](fields, zoneOf(fields.timeZone ?? hostZone));
  let next: number | null;
  try {
    next = nextRun(timing, now);
  } catch (error) {
    // The library's own errors; they name the part that is wrong.
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    throw refuse(FIELD[timing.frequency], message`is not right: ${messageOf(error).replace(/^\w+: /, "")}`);
  }
  if (next !== null) return timing;
  throw refuse(
    FIELD[timing.frequency],
    timing.frequency === "once" ? "is in the past" : "never comes: there is no such date",
  );
}
