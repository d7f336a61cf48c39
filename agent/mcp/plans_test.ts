import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { type Plan, Plans } from "./plans.ts";

const plan: Plan = {
  command: "start_vm",
  input: { vmId: "x" },
  on: undefined,
  holder: "token:1",
  witness: "w",
};

Deno.test("a plan is taken once, by its holder, within five minutes", async () => {
  const clock = new TestClock(), plans = new Plans("s", clock);
  const digest = plans.add(plan);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.notEqual(plans.add(plan), digest, "the same again is another plan");
  assert.equal(plans.take("0".repeat(64), "token:1"), undefined);
  assert.equal(plans.take(digest, "token:2"), undefined, "somebody else's");
  assert.deepEqual(plans.take(digest, "token:1"), plan, "who tried in vain took nothing");
  assert.equal(plans.take(digest, "token:1"), undefined);
  const late = plans.add(plan), inTime = plans.add(plan);
  await clock.advance(5 * 60_000 - 1);
  assert.deepEqual(plans.take(inTime, "token:1"), plan);
  await clock.advance(1);
  assert.equal(plans.take(late, "token:1"), undefined);
});

Deno.test("of plans that are not carried out, the oldest are forgotten", () => {
  const plans = new Plans("s", new TestClock());
  const digests = Array.from({ length: 40 }, () => plans.add(plan));
  assert.equal(plans.take(digests[7]!, "token:1"), undefined);
  assert.deepEqual(plans.take(digests[8]!, "token:1"), plan);
});
