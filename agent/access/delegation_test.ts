import assert from "node:assert/strict";
import { isAdministrator, may } from "../../lib/access/rights.ts";
import type { Role } from "../../lib/contract/command.ts";
import { nobody, type Principal, principalOf, socketPrincipal } from "../access.ts";
import { localPrincipal } from "../testing.ts";
import { delegateFor, type Delegator, delegatorOf } from "./delegation.ts";

const ANN = { uid: 1000, name: "ann (host)", role: "administrator" } as const;
const later = (by: Delegator, roles: Readonly<Record<number, Role>>) =>
  delegateFor(
    { access: {} as never, socketRoleOf: (uid) => roles[uid], linkedUser: () => undefined },
    by,
    "schedule:1",
  );
const asPrincipal = (found: Principal | string): Principal => {
  assert.ok(typeof found !== "string", String(found));
  return found;
};

Deno.test("delegateFor() asks what a user of the host may do at the socket when the work is done", () => {
  const left = delegatorOf(socketPrincipal(ANN));
  assert.deepEqual(left, { kind: "host", name: "ann (host)", uid: 1000 });
  const still = asPrincipal(later(left, { 1000: "administrator" }));
  assert.deepEqual([still.name, still.door, still.holder], ["ann (host)", "schedule", "schedule:1"]);
  assert.ok(isAdministrator(still.rights));
  const less = asPrincipal(later(left, { 1000: "viewer" }));
  assert.equal(isAdministrator(less.rights), false);
  assert.ok(may(less.rights, "vms.view", "everything"));
  assert.match(String(later(left, {})), /may not use the socket any more/);
});

Deno.test("delegateFor() knows root without a number, as earlier versions wrote it; and no name that the host does not have", () => {
  const roles = { 0: "administrator" } as const;
  for (const by of [delegatorOf(localPrincipal("socket")), { kind: "host", name: "root" } as const]) {
    assert.ok(isAdministrator(asPrincipal(later(by, roles)).rights));
  }
  assert.match(String(later({ kind: "host", name: "no-such-user" }, roles)), /not use the socket/);
});

Deno.test("delegatorOf() takes no work without an account", () => {
  assert.throws(() => delegatorOf(nobody("page")), { code: "NoAccount" });
  assert.throws(() => delegatorOf(principalOf({ name: "x", door: "page", via: "session" })), {
    code: "NoAccount",
  });
});
