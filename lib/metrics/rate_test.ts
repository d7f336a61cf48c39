import assert from "node:assert/strict";
import fc from "fast-check";
import { increase, perSecond } from "./rate.ts";

Deno.test("increase(): counters that rise, wrap, begin anew", () => {
  const TABLE: readonly [what: string, before: number, now: number, increase: number][] = [
    ["rises", 100, 150, 50],
    ["stands still", 100, 100, 0],
    ["from zero", 0, 7, 7],
    ["wraps at 32 bits", 2 ** 32 - 10, 5, 15],
    ["wraps from the middle", 2 ** 31, 2 ** 31 - 1, 2 ** 32 - 1],
    ["began anew, and was small", 5000, 10, NaN],
    ["began anew, and was larger than 32 bits", 2 ** 40, 10, NaN],
    ["fell within the upper half: no wrap", 2 ** 32 - 1, 2 ** 31, NaN],
    ["large counters rise past 32 bits", 2 ** 32 - 1, 2 ** 32 + 1, 2],
    ["none before", NaN, 10, NaN],
    ["none now", 10, NaN, NaN],
  ];
  for (const [what, before, now, expected] of TABLE) assert.equal(increase(before, now), expected, what);
});

Deno.test("increase() is never below zero, and of a 32-bit counter what was counted", () => {
  const counter = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(fc.property(counter, counter, (before, now) => {
    const rise = increase(before, now);
    assert.ok(Number.isNaN(rise) || rise >= 0);
    if (!Number.isNaN(rise)) assert.equal((before + rise) % 2 ** 32, now);
  }));
});

Deno.test("perSecond() needs time between two readings", () => {
  assert.equal(perSecond(0, 100, 10), 10);
  assert.equal(perSecond(0, 100, 10, 8), 80);
  for (const seconds of [0, -5, NaN]) assert.equal(perSecond(0, 100, seconds), NaN);
});
