import assert from "node:assert/strict";
import fc from "fast-check";
import { increase, perSecond } from "./rate.ts";

Deno.test("increase(): counters that rise, and that begin again", () => {
  const TABLE: readonly [what: string, before: number, now: number, increase: number][] = [
    ["rises", 100, 150, 50],
    ["stands still", 100, 100, 0],
    ["from zero", 0, 7, 7],
    ["began again near 32 bits", 2 ** 32 - 10, 5, NaN],
    ["began again at the middle of 32 bits", 2 ** 31, 2 ** 31 - 1, NaN],
    ["began again, and was small", 5000, 10, NaN],
    ["began again, and was larger than 32 bits", 2 ** 40, 10, NaN],
    ["fell within the upper half of 32 bits", 2 ** 32 - 1, 2 ** 31, NaN],
    ["large counters rise past 32 bits", 2 ** 32 - 1, 2 ** 32 + 1, 2],
    ["none before", NaN, 10, NaN],
    ["none now", 10, NaN, NaN],
  ];
  for (const [what, before, now, expected] of TABLE) assert.equal(increase(before, now), expected, what);
});

Deno.test("increase() is what was counted, or not known: never below zero, and of no fall", () => {
  const counter = fc.maxSafeNat();
  fc.assert(fc.property(counter, counter, (before, now) => {
    assert.equal(increase(before, now), now < before ? NaN : now - before);
  }));
});

Deno.test("perSecond() needs time between two readings", () => {
  assert.equal(perSecond(0, 100, 10), 10);
  assert.equal(perSecond(0, 100, 10, 8), 80);
  for (const seconds of [0, -5, NaN]) assert.equal(perSecond(0, 100, seconds), NaN);
});
