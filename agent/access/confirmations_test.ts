import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { Confirmations, CONFIRMED_MS } from "./confirmations.ts";

Deno.test("Confirmations hold for one session, and five minutes by the uptime", async () => {
  const clock = new TestClock();
  const confirmations = new Confirmations(clock);
  confirmations.confirm("session:a");
  assert.equal(confirmations.until("session:b"), null);
  await clock.advance(CONFIRMED_MS - 1000);
  clock.set(clock.now() - 3_600_000);
  assert.equal(confirmations.until("session:a"), clock.now() + 1000);
  await clock.advance(1000);
  assert.equal(confirmations.until("session:a"), null);
  confirmations.confirm("session:a");
  assert.notEqual(confirmations.until("session:a"), null);
});
