import assert from "node:assert/strict";
import { DAY_MS } from "../duration.ts";
import { LinkClock } from "./link_clock.ts";

const reading = (ahead: number, { took = 20, at = 0, resolution = 1 } = {}) => ({
  resolution,
  took,
  at,
  here: 1_000_000_000 + at,
  theirs: 1_000_000_000 + at - took / 2 + ahead,
});

Deno.test("a clock that tells about the same time is told as the same", () => {
  const clock = new LinkClock();
  for (const ahead of [0, 900, -1500, 1990]) assert.equal(clock.take(reading(ahead)), false);
  assert.equal(clock.aheadMs, 0);
});

Deno.test("a clock a day ahead is told by how much, and stays told so while it is measured again", () => {
  const clock = new LinkClock();
  assert.equal(clock.take(reading(DAY_MS)), true);
  assert.equal(clock.aheadMs, DAY_MS);
  // Slow answers and whole seconds tell less than the first
  assert.equal(clock.take(reading(DAY_MS + 400, { took: 1500, at: 5000 })), false);
  assert.equal(clock.take(reading(DAY_MS + 300, { resolution: 1000, at: 6000 })), false);
  assert.equal(clock.take(reading(DAY_MS + 40, { at: 60_000 })), false);
  assert.equal(clock.aheadMs, DAY_MS);
});

Deno.test("a clock that is set is told by its new difference, also by a slow answer", () => {
  const clock = new LinkClock();
  clock.take(reading(-DAY_MS));
  assert.equal(clock.take(reading(0, { took: 1900, at: 1000 })), true);
  assert.equal(clock.aheadMs, 0);
  assert.equal(clock.take(reading(5000, { at: 2000 })), true);
  assert.equal(clock.aheadMs, 5000);
});

Deno.test("a slow answer alone makes no difference", () => {
  const clock = new LinkClock();
  // Stamped at once and read 8 s later: what is measured is 4 s wrong, and may be
  assert.equal(clock.take(reading(-4000, { took: 8000 })), false);
  assert.equal(clock.aheadMs, 0);
});

Deno.test("a time that no clock tells is none", () => {
  const clock = new LinkClock();
  for (const theirs of [Infinity, NaN, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
    assert.equal(clock.take({ theirs, resolution: 1, here: Date.now(), took: 1, at: 0 }), false);
  }
  assert.equal(clock.aheadMs, 0);
});
