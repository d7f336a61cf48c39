import assert from "node:assert/strict";
import fc from "fast-check";
import { WEEKDAYS } from "../contract/schedules.ts";
import { nextRun, nextRuns } from "./next_run.ts";
import { timingOf } from "./read_timing.ts";
import type { Timing, TimingFields } from "./timing.ts";

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] as const;
const QUARTER_HOUR = 900_000, YEAR = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2027, 0, 1) };

/** Date and time of day in a zone, as `2026-03-29 02:30`, told by Intl and not by the library. */
function localTimes(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat("sv", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (at) => format.format(at);
}

/** Every run in the year 2026. */
function runsIn2026(timing: Timing): number[] {
  const runs: number[] = [];
  for (let at = nextRun(timing, YEAR.from - 1); at !== null && at < YEAR.to; at = nextRun(timing, at)) {
    runs.push(at);
  }
  return runs;
}

for (const timeZone of ZONES) {
  Deno.test(`nextRun() has each day of a year once, at its time or after the gap (${timeZone})`, () => {
    const local = localTimes(timeZone);
    const year = Array.from({ length: (YEAR.to - YEAR.from) / QUARTER_HOUR }, (_, index) => {
      const at = YEAR.from + index * QUARTER_HOUR;
      return { at, date: local(at).slice(0, 10), time: local(at).slice(11) };
    });
    for (const time of ["00:00", "01:30", "01:45", "02:00", "02:15", "02:30", "12:00"]) {
      const first = new Map<string, number>();
      for (const each of year) {
        if (each.time >= time && !first.has(each.date)) first.set(each.date, each.at);
      }
      // Of the day that the year begins in the middle of, only what is left.
      if (year[0]!.time > time) first.delete(year[0]!.date);
      assert.deepEqual(runsIn2026({ frequency: "daily", time, timeZone }), [...first.values()], time);
    }
  });

  Deno.test(`nextRun() has a quarter of an hour as long as it is, over every change of clocks (${timeZone})`, () => {
    const runs = runsIn2026({ frequency: "cron", cron: "*/15 * * * *", timeZone });
    assert.equal(runs.length, (YEAR.to - YEAR.from) / QUARTER_HOUR);
    assert.ok(runs.every((at, index) => at === YEAR.from + index * QUARTER_HOUR));
  });

  Deno.test(`nextRun() has the last day of a month that is shorter (${timeZone})`, () => {
    const local = localTimes(timeZone);
    for (const monthDay of [1, 28, 29, 30, 31]) {
      const days = runsIn2026({ frequency: "monthly", time: "12:00", monthDay, timeZone }).map((at) =>
        local(at)
      );
      const expected = Array.from({ length: 12 }, (_, month) => {
        const day = Math.min(monthDay, new Date(Date.UTC(2026, month + 1, 0)).getUTCDate());
        return `2026-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")} 12:00`;
      });
      assert.deepEqual(days, expected);
    }
  });

  Deno.test(`nextRun() is later, on its day, at its time, and nothing is in between (${timeZone})`, () => {
    const local = localTimes(timeZone), names = new Intl.DateTimeFormat("en", { timeZone, weekday: "short" });
    fc.assert(fc.property(
      fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      fc.subarray([...WEEKDAYS], { minLength: 1 }),
      (after, hour, minute, weekdays) => {
        const time = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
        const timing: Timing = { frequency: "weekly", time, weekdays, timeZone };
        const next = nextRun(timing, after)!;
        assert.ok(next > after && next - after <= 8 * 86_400_000);
        assert.equal(next % 60_000, 0);
        assert.ok((weekdays as string[]).includes(names.format(next).toLowerCase()));
        const told = local(next).slice(11);
        // Clocks go forward by an hour at most: a time that is not there is the first moment after the gap.
        if (told !== time) {
          assert.ok(local(next - 60_000).slice(11) < time && told > time, `${told} for ${time}`);
        }
        // Of objects of their own: what was found for the first is remembered
        assert.equal(nextRun({ ...timing }, next - 1), next);
        assert.equal(nextRun({ ...timing }, after + Math.floor((next - after) / 2)), next);
      },
    ));
  });
}

Deno.test("nextRun() remembers what it found, and gives no other answer for it, in whatever order it is asked", () => {
  const spring = Date.UTC(2026, 2, 28), autumn = Date.UTC(2026, 9, 24);
  const timings = ZONES.flatMap((timeZone): Timing[] => [
    { frequency: "daily", time: "02:30", timeZone },
    { frequency: "weekly", time: "01:59", weekdays: ["sat", "sun"], timeZone },
    { frequency: "monthly", time: "02:00", monthDay: 29, timeZone },
    { frequency: "once", at: "2026-03-29T02:30", timeZone },
    { frequency: "cron", cron: "*/7 1-3 * * *", timeZone },
    { frequency: "cron", cron: "30 2 29 3 *", timeZone },
  ]);
  fc.assert(fc.property(
    fc.constantFrom(...timings),
    fc.constantFrom(spring, autumn),
    fc.array(fc.integer({ min: 0, max: 3 * 86_400_000 }), { minLength: 2, maxLength: 8 }),
    (timing, from, moments) => {
      for (const moment of moments) {
        assert.equal(nextRun(timing, from + moment), nextRun({ ...timing }, from + moment));
      }
    },
  ));
});

Deno.test("nextRun() of one moment in a gap is the first after it, in an overlap the first of the two", () => {
  const once = (at: string) => nextRuns({ frequency: "once", at, timeZone: "Europe/Berlin" }, YEAR.from, 5);
  assert.deepEqual(once("2026-07-01T12:00"), [Date.UTC(2026, 6, 1, 10)]);
  assert.deepEqual(once("2026-10-25T02:30"), [Date.UTC(2026, 9, 25, 0, 30)]);
  assert.deepEqual(once("2026-03-29T02:30"), [Date.UTC(2026, 2, 29, 1)]);
});

const NOW = Date.UTC(2026, 10, 22, 12);
const refusal = (fields: TimingFields): { field: string; message: string } => {
  try {
    timingOf(fields, NOW, "UTC");
  } catch (error) {
    const { message, details } = error as Error & { details: { field: string } };
    return { field: details.field, message };
  }
  throw new Error("it was taken");
};

Deno.test("timingOf() keeps what its frequency needs, and nothing else", () => {
  const fields = { at: "2026-12-24T18:00", time: "03:30", monthDay: 31, cron: "0 0 * * *" } as const;
  assert.deepEqual(timingOf({ frequency: "daily", ...fields }, NOW, "Europe/Berlin"), {
    frequency: "daily",
    time: "03:30",
    timeZone: "Europe/Berlin",
  });
  assert.deepEqual(
    timingOf({ frequency: "weekly", time: "03:30", weekdays: ["sun", "mon"], timeZone: "utc" }, NOW, "x"),
    { frequency: "weekly", time: "03:30", weekdays: ["mon", "sun"], timeZone: "UTC" },
  );
});

Deno.test("timingOf() refuses what is missing, what is none and what never comes, at its field", () => {
  const cases: [TimingFields, string, RegExp][] = [
    [{ frequency: "daily" }, "time", /is needed/],
    [{ frequency: "weekly", time: "03:30", weekdays: [] }, "weekdays", /is needed/],
    [{ frequency: "daily", time: "03:30", timeZone: "Europe/Atlantis" }, "timeZone", /is no time zone/],
    [{ frequency: "once", at: "2026-11-22T11:59" }, "at", /is in the past/],
    [{ frequency: "once", at: "2026-13-01T00:00" }, "at", /is no date/],
    [{ frequency: "once", at: "2027-02-30T00:00" }, "at", /is no date/],
    [{ frequency: "cron", cron: "0 0 30 2 *" }, "cron", /never comes/],
    [{ frequency: "cron", cron: "0 0 31 4,6,9,11 *" }, "cron", /never comes/],
    [{ frequency: "cron", cron: "* * * * * *" }, "cron", /must have five parts/],
    [{ frequency: "cron", cron: "60 * * * *" }, "cron", /is not right: Invalid value for minute/],
    [{ frequency: "cron", cron: "" }, "cron", /must have five parts/],
    [
      { frequency: "cron", cron: "@never" },
      "cron",
      /must have five parts: minute, hour.*or be one of @hourly/,
    ],
    [{ frequency: "cron", cron: "@reboot" }, "cron", /must have five parts/],
    [{ frequency: "cron", cron: "2027-01-01T00:00:00" }, "cron", /must have five parts/],
    [{ frequency: "cron", cron: "NaN * * * *" }, "cron", /is not right/],
  ];
  for (const [fields, field, reason] of cases) {
    const told = refusal(fields);
    assert.equal(told.field, field, JSON.stringify(fields));
    assert.match(told.message, reason);
  }
});

Deno.test("timingOf() refuses the worst patterns quickly", () => {
  const worst = ["0 0 30 2 *", `${Array(49).fill("1").join(",")}`, `${"9".repeat(90)} * * * *`, "0 0 31 2 L"];
  for (const cron of worst) {
    const before = performance.now();
    try {
      timingOf({ frequency: "cron", cron, timeZone: "Australia/Lord_Howe" }, NOW, "UTC");
    } catch (error) {
      assert.match(String(error), /Invalid input/);
    }
    assert.ok(performance.now() - before < 1000, cron);
  }
});
