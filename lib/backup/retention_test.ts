import assert from "node:assert/strict";
import fc from "fast-check";
import { toPrune } from "./retention.ts";

const DAY = 86_400_000, START = Date.UTC(2026, 0, 1, 2);
const NONE = { keep: 1, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };
const daily = (days: number) =>
  Array.from(
    { length: days },
    (_, day) => ({ id: String(day).padStart(4, "0"), takenAt: START + day * DAY }),
  );
const LATER = { now: START + 2000 * DAY, made: new Set<string>(), timeZone: "UTC" };
const kept = (
  copies: ReturnType<typeof daily>,
  retention: Parameters<typeof toPrune>[1],
  moment: Parameters<typeof toPrune>[2] = LATER,
) => {
  const gone = new Set(toPrune(copies, retention, moment));
  return copies.filter((copy) => !gone.has(copy)).map(({ takenAt }) =>
    new Date(takenAt).toISOString().slice(0, 10)
  );
};

Deno.test("toPrune() keeps the newest, and the last one of days, weeks, months and years", () => {
  assert.deepEqual(kept(daily(5), { ...NONE, keep: 2 }), ["2026-01-04", "2026-01-05"]);
  assert.deepEqual(kept(daily(40), { ...NONE, keepWeekly: 2 }), ["2026-02-08", "2026-02-09"]);
  assert.deepEqual(kept(daily(90), { ...NONE, keepMonthly: 3 }), ["2026-01-31", "2026-02-28", "2026-03-31"]);
  assert.deepEqual(kept(daily(400), { ...NONE, keepYearly: 5 }), ["2026-12-31", "2027-02-04"]);
  const twice = [...daily(2), { id: "again", takenAt: START + DAY + 3600_000 }];
  assert.equal(toPrune(twice, { ...NONE, keepDaily: 2 }, LATER).length, 1, "one a day");
});

Deno.test("toPrune() never takes the newest copy, and keeping more never keeps less", () => {
  const count = fc.nat({ max: 12 });
  const retention = fc.record({
    keep: fc.integer({ min: 1, max: 12 }),
    keepDaily: count,
    keepWeekly: count,
    keepMonthly: count,
    keepYearly: count,
  });
  fc.assert(fc.property(fc.array(fc.nat({ max: 1000 }), { minLength: 1 }), retention, (days, rules) => {
    const copies = days.map((day, index) => ({ id: String(index), takenAt: START + day * DAY }));
    const gone = toPrune(copies, rules, LATER);
    const newest = Math.max(...copies.map(({ takenAt }) => takenAt));
    assert.ok(copies.some((copy) => copy.takenAt === newest && !gone.includes(copy)));
    assert.ok(copies.length - gone.length >= Math.min(copies.length, rules.keep));
    const more = toPrune(
      copies,
      { ...rules, keep: rules.keep + 1, keepDaily: rules.keepDaily + 1 },
      LATER,
    );
    assert.ok(more.every((copy) => gone.includes(copy)));
  }));
});

Deno.test("toPrune() keeps what was made just now, whatever the clock says of the others", () => {
  const copies = daily(10), made = new Set(["just"]), rules = { ...NONE, keep: 7 };
  const just = { id: "just", takenAt: START + DAY };
  // The clock is eight days behind: it counts as the newest.
  assert.deepEqual(kept([...copies, just], rules, { now: just.takenAt, made, timeZone: "UTC" }), [
    ...["2026-01-01", "2026-01-02"],
    ...["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-10"],
    "2026-01-02",
  ]);
  // Copies of a clock that was ahead make no room of it.
  const ahead = copies.map((copy) => ({ ...copy, takenAt: copy.takenAt + 3650 * DAY }));
  const now = START + 20 * DAY;
  assert.equal(
    toPrune([...ahead, just], { ...NONE, keep: 1 }, { now, made: new Set(), timeZone: "UTC" }).includes(just),
    false,
  );
});

/** A copy at each of these moments; kept ones by them. */
function keptAt(moments: readonly string[], retention: Partial<typeof NONE>, timeZone: string): string[] {
  const copies = moments.map((id) => ({ id, takenAt: Date.parse(id) }));
  const gone = new Set(
    toPrune(copies, { ...NONE, ...retention }, { ...LATER, timeZone }).map(({ id }) => id),
  );
  return moments.filter((id) => !gone.has(id));
}

Deno.test("toPrune() counts the days of the backup's zone, where the clock changes as well", () => {
  // 01:30 in Berlin: 00:30 UTC before the clock was put forward on March 29, 23:30 UTC of the day before afterwards
  const spring = ["2026-03-28T00:30Z", "2026-03-29T00:30Z", "2026-03-29T23:30Z", "2026-03-30T23:30Z"];
  assert.deepEqual(keptAt(spring, { keepDaily: 4 }, "Europe/Berlin"), spring);
  assert.deepEqual(keptAt(spring, { keepDaily: 4 }, "UTC").length, 3, "two of them are one day of UTC");
  const autumn = ["2026-10-23T23:30Z", "2026-10-24T23:30Z", "2026-10-26T00:30Z", "2026-10-27T00:30Z"];
  assert.deepEqual(keptAt(autumn, { keepDaily: 4 }, "Europe/Berlin"), autumn);
  // Morning and evening of a Monday and a Tuesday in Los Angeles: the evening's are of the next day in UTC
  const [, evening, , last] = [
    ...["2026-06-01T08:00-07:00", "2026-06-01T20:00-07:00"],
    ...["2026-06-02T08:00-07:00", "2026-06-02T20:00-07:00"],
  ] as const;
  assert.deepEqual(
    keptAt(
      ["2026-06-01T08:00-07:00", evening, "2026-06-02T08:00-07:00", last],
      { keepDaily: 2 },
      "America/Los_Angeles",
    ),
    [evening, last],
  );
});

Deno.test("toPrune() counts weeks, months and years of the backup's zone", () => {
  // Sunday and Monday in Auckland are both Sunday in UTC
  const weeks = ["2026-06-07T10:00+12:00", "2026-06-08T10:00+12:00", "2026-06-09T10:00+12:00"];
  assert.deepEqual(keptAt(weeks, { keepWeekly: 2 }, "Pacific/Auckland"), [weeks[0], weeks[2]]);
  // The last evening of the year in Los Angeles is in the next year in UTC
  const years = ["2025-12-31T20:00-08:00", "2026-01-01T20:00-08:00", "2026-02-01T20:00-08:00"];
  assert.deepEqual(keptAt(years, { keepYearly: 2 }, "America/Los_Angeles"), [years[0], years[2]]);
  assert.deepEqual(keptAt(years, { keepMonthly: 3 }, "America/Los_Angeles"), years);
});
