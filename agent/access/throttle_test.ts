import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { Throttle } from "./throttle.ts";

const isFree = (throttle: Throttle, key: string) => {
  try {
    throttle.check(key);
    return true;
  } catch {
    return false;
  }
};

Deno.test("Throttle.failed() forgets no account under attack for others that failed less often", async () => {
  const clock = new TestClock();
  const throttle = new Throttle({ free: 5, longest: 60_000 }, clock, 100);
  for (let count = 0; count < 9; count++) throttle.failed("ann");
  assert.ok(!isFree(throttle, "ann"));
  for (let other = 0; other < 10_000; other++) throttle.failed(`other ${other}`);
  assert.ok(!isFree(throttle, "ann"), "a flood of other keys changes nothing");
  // What is forgiven anyway goes first.
  await clock.advance(2 * 3600_000);
  for (let count = 0; count < 6; count++) throttle.failed("bob");
  for (let other = 0; other < 99; other++) throttle.failed(`new ${other}`);
  assert.ok(!isFree(throttle, "bob"));
});
