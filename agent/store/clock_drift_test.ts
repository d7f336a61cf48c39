import assert from "node:assert/strict";
import { DAY_MS } from "../../lib/duration.ts";
import { TestClock } from "../testing.ts";
import { ClockDrift } from "./clock_drift.ts";
import { Store } from "./store.ts";

const HOUR_MS = 3600_000, START = Date.UTC(2026, 10, 24);

/** Runs of KVM Manager one after the other, with the same database. */
async function withRuns(
  run: (begin: (wall: number) => { clock: TestClock; drift: ClockDrift }) => Promise<void> | void,
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const stores: Store[] = [];
  try {
    await run((wall) => {
      stores.at(-1)?.close();
      const store = new Store(folder), clock = new TestClock(wall, 60_000);
      stores.push(store);
      return { clock, drift: new ClockDrift(clock, store) };
    });
  } finally {
    stores.at(-1)?.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a start with a clock far ahead of the last run removes nothing by age for a day of running", () =>
  withRuns(async (begin) => {
    const first = begin(START);
    assert.equal(first.drift.held, undefined, "nothing is known yet");
    first.drift.note();
    const wrong = begin(START + 400 * DAY_MS);
    assert.match(wrong.drift.held!, /400 days ahead of when KVM Manager last ran.*after 24 hours of running/);
    await wrong.clock.advance(10 * HOUR_MS);
    wrong.drift.note();
    assert.match(wrong.drift.held!, /400 days ahead.*after 14 hours/);
    // Switched off at night: what was watched counts on
    const later = begin(START + 400 * DAY_MS + 20 * HOUR_MS);
    assert.match(later.drift.held!, /after 14 hours/);
    await later.clock.advance(13 * HOUR_MS);
    assert.notEqual(later.drift.held, undefined);
    await later.clock.advance(HOUR_MS);
    assert.equal(later.drift.held, undefined);
    later.drift.note();
    assert.equal(begin(START + 402 * DAY_MS).drift.held, undefined, "it was trusted since");
  }));

Deno.test("a clock that was set right again, and a host that was off for weeks, hold nothing up", () =>
  withRuns((begin) => {
    begin(START).drift.note();
    const wrong = begin(START + 400 * DAY_MS);
    wrong.drift.note();
    assert.notEqual(wrong.drift.held, undefined);
    const right = begin(START + DAY_MS);
    assert.equal(right.drift.held, undefined);
    right.drift.note();
    assert.equal(begin(START + 25 * DAY_MS).drift.held, undefined);
    assert.equal(begin(START - 9000 * DAY_MS).drift.held, undefined, "in the past nothing is too old");
  }));

Deno.test("a clock that is set while it runs holds removing up, and is not written down", () =>
  withRuns((begin) => {
    const { clock, drift } = begin(START);
    drift.note();
    clock.set(START + 400 * DAY_MS);
    assert.match(drift.held!, /was set since the start/);
    drift.note();
    assert.match(begin(START + 400 * DAY_MS).drift.held!, /400 days ahead/);
  }));
