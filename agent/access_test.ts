import assert from "node:assert/strict";
import { ROLES } from "../lib/contract/mod.ts";
import { authorise, includes, localPrincipal } from "./access.ts";

Deno.test("includes() is the order of the roles, for every pair", () => {
  ROLES.forEach((role, has) =>
    ROLES.forEach((needed, needs) => assert.equal(includes(role, needed), has >= needs))
  );
});

Deno.test("authorise() refuses a lesser role and names the one that is needed", () => {
  const viewer = { name: "v", role: "viewer", door: "api" } as const;
  authorise(viewer, "viewer");
  assert.throws(() => authorise(viewer, "operator"), {
    code: "Forbidden",
    message: "This needs the role operator",
  });
});

Deno.test("localPrincipal() is the host's administrator, by name of the door", () => {
  assert.deepEqual(localPrincipal("socket"), { name: "root", role: "administrator", door: "socket" });
  for (const door of ["page", "api"] as const) {
    assert.deepEqual(localPrincipal(door), { name: "local", role: "administrator", door });
  }
});
