import assert from "node:assert/strict";
import { ROLES } from "../lib/contract/mod.ts";
import { ALL_RIGHTS } from "../lib/access/rights.ts";
import { includes, settlingPrincipal } from "./access.ts";
import { localPrincipal } from "./testing.ts";

Deno.test("includes() is the order of the roles, for every pair", () => {
  ROLES.forEach((role, has) =>
    ROLES.forEach((needed, needs) => assert.equal(includes(role, needed), has >= needs))
  );
});

Deno.test("localPrincipal() is the host's administrator, by name of the door", () => {
  for (const [door, expected] of [["socket", "root"], ["page", "local"], ["api", "local"]] as const) {
    const { name, role, rights } = localPrincipal(door);
    assert.deepEqual([name, role, rights], [expected, "administrator", ALL_RIGHTS]);
  }
});

Deno.test("settlingPrincipal() has the name of who began, whatever they may now, and is at none of the doors of people", () => {
  const { name, door, via, rights, uid, userId } = settlingPrincipal("ann");
  assert.deepEqual([name, door, via, rights], ["ann", "agent", "agent", ALL_RIGHTS]);
  assert.deepEqual([uid, userId], [undefined, undefined]);
});
