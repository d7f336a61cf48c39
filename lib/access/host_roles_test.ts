import assert from "node:assert/strict";
import { hostRolesIn } from "./host_roles.ts";

Deno.test("hostRolesIn() reads groups with their roles, and says what is none", () => {
  assert.equal(hostRolesIn("off"), null);
  assert.deepEqual(
    hostRolesIn("kvm-admins=administrator, staff@example.org=viewer"),
    new Map([
      ["kvm-admins", "administrator"],
      ["staff@example.org", "viewer"],
    ]),
  );
  for (
    const wrong of ["", "wheel", "wheel=", "=viewer", "a=viewer,", "a=b=c", "-a=viewer", "a=Viewer", "on"]
  ) {
    assert.throws(() => hostRolesIn(wrong), /is not GROUP=ROLE/, wrong);
  }
});
