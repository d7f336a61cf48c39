import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { firstWindow, holds, isOver, silenceAt, type StoredSilence } from "./silence.ts";

const at = (text: string) =>
  Temporal.PlainDateTime.from(text).toZonedDateTime("Europe/Berlin").epochMilliseconds;
const silence = (more: Partial<StoredSilence>): StoredSilence => ({
  id: "s",
  scope: "everything",
  by: "ann",
  timeZone: "Europe/Berlin",
  startsAt: at("2026-03-01T02:00"),
  endsAt: at("2026-03-01T04:00"),
  ...more,
});

Deno.test("a silence that does not repeat holds once", () => {
  const once = silence({});
  assert.deepEqual(
    ["01:59", "02:00", "03:59", "04:00"].map((time) => holds(once, at(`2026-03-01T${time}`))),
    [
      ...[false, true, true, false],
    ],
  );
  assert.equal(holds(once, at("2026-03-02T03:00")), false);
  assert.deepEqual([isOver(once, at("2026-03-01T03:59")), isOver(once, at("2026-03-01T04:00"))], [
    false,
    true,
  ]);
});

Deno.test("a silence that repeats holds at the same time of day, over a change of clocks, and is never over", () => {
  for (
    const [repeat, yes, no] of [
      ["daily", "2026-04-02T03:00", "2026-04-02T04:00"],
      ["weekly", "2026-04-05T03:00", "2026-04-06T03:00"],
      ["monthly", "2026-07-01T03:59", "2026-07-02T03:00"],
    ] as const
  ) {
    const each = silence({ repeat });
    assert.deepEqual([holds(each, at(yes)), holds(each, at(no))], [true, false], repeat);
    assert.equal(holds(each, at("2026-02-22T03:00")), false, "not before its first");
    assert.equal(isOver(each, at("2036-01-01T00:00")), false);
  }
});

Deno.test("silenceAt() tells the window that holds, or the next, and no time zone", () => {
  const weekly = silence({ repeat: "weekly" });
  const window = (now: string) => {
    const { startsAt, endsAt, ...rest } = silenceAt(weekly, at(now));
    assert.equal("timeZone" in rest, false);
    return [startsAt, endsAt];
  };
  const first = [at("2026-03-01T02:00"), at("2026-03-01T04:00")];
  assert.deepEqual(window("2026-01-01T00:00"), first);
  assert.deepEqual(window("2026-03-01T03:59"), first);
  assert.deepEqual(window("2026-03-01T04:00"), [at("2026-03-08T02:00"), at("2026-03-08T04:00")]);
});

Deno.test("firstWindow() refuses a window that would never end", () => {
  assert.deepEqual(firstWindow(90_500, 1, undefined), { startsAt: 90_500, endsAt: 150_500 });
  assert.deepEqual(firstWindow(90_500, 1, "daily"), { startsAt: 60_000, endsAt: 120_000 });
  firstWindow(0, 23 * 60, "daily");
  for (
    const [minutes, repeat] of [[23 * 60 + 1, "daily"], [7 * 1440, "weekly"], [28 * 1440, "monthly"]] as const
  ) {
    assert.throws(() => firstWindow(0, minutes, repeat), ContractError);
  }
});
