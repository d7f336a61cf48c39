import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { Attempts, type Client, withKnown } from "./attempts.ts";
import type { UserRecord } from "./records.ts";

const HOME = "192.0.2.1", DEVICE = "d".repeat(43);
const NEW: UserRecord = {
  id: "1",
  name: "ann",
  displayName: "",
  disabled: false,
  grants: [],
  recovery: [],
  createdAt: 0,
  lastSignInAt: null,
};
/** Signed in once, from home. */
const ANN = withKnown(NEW, HOME, DEVICE);

const fresh = () => new Attempts(new TestClock());
const from = (address: string, more: Partial<Client> = {}): Client => ({
  address,
  via: "nobody",
  holder: "nobody:page",
  ...more,
});
/** A wrong password; whether it was even looked at. */
function fails(
  attempts: Attempts,
  client: Client,
  user: UserRecord | undefined = ANN,
  name = "ann",
): boolean {
  if (!isFree(attempts, client, user, name)) return false;
  attempts.failed("password", name, user, client);
  return true;
}
function isFree(
  attempts: Attempts,
  client: Client,
  user: UserRecord | undefined = ANN,
  name = "ann",
): boolean {
  try {
    attempts.begin("password", name, user, client);
    return true;
  } catch (error) {
    assert.equal((error as ContractError).code, "TooManyAttempts");
    return false;
  }
}
const many = (count: number, each: (index: number) => boolean) =>
  Array.from({ length: count }, (_, index) => each(index)).filter(Boolean).length;

Deno.test("Attempts of one account are slowed down from everywhere, but not where it signed in before (threat 24)", () => {
  const attempts = fresh();
  assert.equal(many(250, (index) => fails(attempts, from(`198.51.100.${index}`))), 50);
  assert.ok(!isFree(attempts, from("203.0.113.7")), "someone new waits");
  assert.ok(isFree(attempts, from(HOME)));
  assert.ok(isFree(attempts, from("203.0.113.7", { device: DEVICE })), "a device is known wherever it is");
  assert.ok(!isFree(attempts, from("203.0.113.7", { device: "x".repeat(43) })));
  assert.ok(isFree(attempts, from("203.0.113.7"), undefined, "bob"), "no other account waits");
});

Deno.test("Attempts from the same address hold up neither a known device nor a session there", () => {
  const attempts = fresh();
  many(100, () => fails(attempts, from(HOME)));
  assert.ok(!isFree(attempts, from(HOME)));
  const device = from(HOME, { device: DEVICE });
  const session = from(HOME, { via: "session", holder: "session:1" });
  for (const trusted of [device, session]) {
    assert.equal(
      many(20, () => fails(attempts, trusted)),
      5,
      "but they are slowed down by their own failures",
    );
  }
  assert.ok(
    !isFree(attempts, device, withKnown({ ...NEW, name: "bob" }, HOME, "y".repeat(43)), "bob"),
    "one account's device",
  );
});

Deno.test("Attempts of a site of IPv6 are one site's, whatever its addresses", () => {
  const attempts = fresh();
  assert.equal(many(50, (index) => fails(attempts, from(`2001:db8:1:2::${index.toString(16)}`))), 5);
  assert.ok(isFree(attempts, from("2001:db8:1:3::1")));
});

Deno.test("Attempts that were refused count for their address, at whatever account", () => {
  const attempts = fresh();
  const busy = from("198.51.100.1");
  many(40, () => fails(attempts, busy));
  assert.ok(!isFree(attempts, busy, undefined, "somebody-else"));
  assert.ok(isFree(attempts, from("198.51.100.2"), undefined, "somebody-else"));
  // Everyone on this host, or behind a tunnel, has the same one: one's refusals are not another's.
  many(40, () => fails(attempts, from("127.0.0.1")));
  assert.ok(isFree(attempts, from("127.0.0.1"), undefined, "somebody-else"));
});

Deno.test("Attempts of one user of this host hold up no other user's", () => {
  const attempts = fresh();
  const by = (uid: number) => from("127.0.0.1", { localUser: () => uid });
  many(200, (index) => fails(attempts, by(65534), undefined, `wrong-${index}`));
  assert.ok(!isFree(attempts, by(65534), undefined, "anybody"));
  assert.equal(many(20, () => fails(attempts, by(65534))), 0, "the account is tried no more by them");
  assert.ok(isFree(attempts, by(1000)), "another user is not held up");
  assert.ok(isFree(attempts, from("127.0.0.1")), "nor somebody whom the kernel does not know");
});

Deno.test("Attempts.succeeded() forgives one's own failures, not those of others at the account", async () => {
  const clock = new TestClock(), attempts = new Attempts(clock);
  many(60, (index) => fails(attempts, from(`198.51.100.${index}`)));
  many(5, () => fails(attempts, from(HOME)));
  await clock.advance(1001);
  assert.ok(isFree(attempts, from(HOME)));
  attempts.succeeded(ANN, from(HOME));
  assert.equal(many(9, () => fails(attempts, from(HOME))), 5);
  assert.ok(!isFree(attempts, from("203.0.113.7")));
});
