import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { SignedChallenges } from "./signed_challenges.ts";

const AT = "https://kvm.example";

Deno.test("SignedChallenges are good once, for their purpose and origin, as long as they live", async () => {
  const clock = new TestClock();
  const challenges = new SignedChallenges(60_000, clock);
  const one = challenges.issue("", AT), other = challenges.issue("", AT);
  assert.notEqual(one, other);
  assert.match(one, /^[\w-]{75}$/);
  assert.ok(!challenges.take(one, "session:1", AT));
  assert.ok(!challenges.take(one, "", "https://evil.example"));
  assert.ok(
    !new SignedChallenges(60_000, clock).take(one, "", AT),
    "another process's",
  );
  for (const wrong of ["", "x", one.slice(1), `${one.slice(0, 20)}A${one.slice(21)}`, `A${one.slice(1)}`]) {
    if (wrong !== one) assert.ok(!challenges.take(wrong, "", AT), wrong);
  }
  assert.ok(challenges.take(one, "", AT));
  assert.ok(!challenges.take(one, "", AT), "used");
  assert.ok(!challenges.take(`${one}==`, "", AT), "used, written otherwise");
  await clock.advance(60_000);
  assert.ok(!challenges.take(other, "", AT), "too old");
});

Deno.test("SignedChallenges: a hundred thousand unanswered ones push out no other (threat 24)", () => {
  const challenges = new SignedChallenges(60_000, new TestClock());
  const mine = challenges.issue("", AT);
  for (let each = 0; each < 100_000; each++) challenges.issue("", AT);
  assert.ok(challenges.take(mine, "", AT));
});
