import assert from "node:assert/strict";
import { elapsed, momentOf, sleep, SYSTEM_CLOCK } from "./clock.ts";
import { Periodic } from "./periodic.ts";
import { TestClock } from "./testing.ts";

const HOUR = 3600_000, DAY = 24 * HOUR;

Deno.test("elapsed() goes by the uptime in one boot, across boots by the wall clock", async () => {
  const clock = new TestClock();
  const before = momentOf(clock);
  await clock.advance(HOUR, -10 * DAY);
  assert.equal(elapsed(before, momentOf(clock)), HOUR);
  clock.reboot(12 * DAY);
  assert.equal(elapsed(before, momentOf(clock)), 2 * DAY);
  clock.set(0);
  assert.equal(elapsed(before, momentOf(clock)), 0);
});

Deno.test("SYSTEM_CLOCK.after() calls once, not when it was called off, and not at once after a month", async () => {
  const called: string[] = [];
  const cancel = SYSTEM_CLOCK.after(1, () => called.push("called off"));
  cancel();
  const month = SYSTEM_CLOCK.after(31 * DAY, () => called.push("month"));
  const before = SYSTEM_CLOCK.monotonic();
  await new Promise<void>((resolve) => SYSTEM_CLOCK.after(30, resolve));
  month();
  assert.ok(SYSTEM_CLOCK.monotonic() - before >= 29);
  assert.deepEqual(called, []);
});

Deno.test("sleep() ends at its time, or when it is told to, and leaves no timer", async () => {
  const clock = new TestClock(), abort = new AbortController();
  const ended: string[] = [];
  const all = [
    sleep(clock, HOUR).then(() => ended.push("hour")),
    sleep(clock, DAY, abort.signal).then(() => ended.push("told")),
    sleep(clock, DAY, AbortSignal.abort()).then(() => ended.push("at once")),
  ];
  await clock.advance(HOUR);
  assert.deepEqual(ended, ["at once", "hour"]);
  abort.abort();
  await Promise.all(all);
  assert.deepEqual([ended.at(-1), clock.waiting], ["told", 0]);
});

Deno.test("TestClock.advance() brings timers in order, each at its time, those they make too", async () => {
  const clock = new TestClock(0, 0);
  const told: string[] = [];
  const tell = (name: string) => () => told.push(`${name} ${clock.now()}`);
  clock.after(20, tell("b"));
  clock.after(10, () => {
    tell("a")();
    clock.after(5, tell("c"));
    clock.after(5, tell("d"));
  });
  clock.after(31, tell("late"));
  await clock.advance(30);
  assert.deepEqual(told, ["a 10", "c 15", "d 15", "b 20"]);
  assert.deepEqual([clock.now(), clock.monotonic(), clock.waiting], [30, 30, 1]);
});

Deno.test("Periodic work of a year is done in a simulated one, to the hour", async () => {
  const clock = new TestClock(Date.UTC(2026, 0, 1));
  const days = new Set<string>();
  let runs = 0;
  const periodic = new Periodic([{
    name: "hourly",
    every: () => HOUR,
    run: async () => {
      await Promise.resolve(); // it takes a few turns
      runs++;
      days.add(new Date(clock.now()).toISOString().slice(0, 10));
    },
  }], clock);
  periodic.start();
  await clock.advance(365 * DAY);
  assert.deepEqual([runs, days.size, clock.now()], [365 * 24, 366, Date.UTC(2027, 0, 1)]);
  assert.deepEqual(await periodic.stop(1000), []);
  await clock.advance(DAY);
  assert.deepEqual([runs, clock.waiting], [365 * 24, 0]);
});
