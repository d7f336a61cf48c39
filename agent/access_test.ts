import assert from "node:assert/strict";
import { ROLES } from "../lib/contract/mod.ts";
import { ALL_RIGHTS, layerOf } from "../lib/access/rights.ts";
import { authorise, includes, localPrincipal, principalOf } from "./access.ts";

Deno.test("includes() is the order of the roles, for every pair", () => {
  ROLES.forEach((role, has) =>
    ROLES.forEach((needed, needs) => assert.equal(includes(role, needed), has >= needs))
  );
});

Deno.test("authorise() refuses a lesser role and names the one that is needed", () => {
  const rights = [layerOf([{ role: "viewer", on: { kind: "everything" } }], new Map())];
  const viewer = principalOf({ name: "v", door: "api", via: "session", rights });
  assert.equal(viewer.role, "viewer");
  authorise(viewer, "viewer");
  assert.throws(() => authorise(viewer, "operator"), {
    code: "Forbidden",
    message: "This needs the role operator",
  });
});

Deno.test("localPrincipal() is the host's administrator, by name of the door", () => {
  for (const [door, expected] of [["socket", "root"], ["page", "local"], ["api", "local"]] as const) {
    const { name, role, rights } = localPrincipal(door);
    assert.deepEqual([name, role, rights], [expected, "administrator", ALL_RIGHTS]);
  }
});
