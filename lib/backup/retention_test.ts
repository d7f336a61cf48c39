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
const LATER = { now: START + 2000 * DAY, made: new Set<string>() };
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
    ...{ keepDaily: count, keepWeekly: count, keepMonthly: count, keepYearly: count },
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
  assert.deepEqual(kept([...copies, just], rules, { now: just.takenAt, made }), [
    ...["2026-01-01", "2026-01-02"],
    ...["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-10"],
    "2026-01-02",
  ]);
  // Copies of a clock that was ahead make no room of it.
  const ahead = copies.map((copy) => ({ ...copy, takenAt: copy.takenAt + 3650 * DAY }));
  const now = START + 20 * DAY;
  assert.equal(
    toPrune([...ahead, just], { ...NONE, keep: 1 }, { now, made: new Set() }).includes(just),
    false,
  );
});
