import assert from "node:assert/strict";
import { mayCall } from "./may_call.ts";
import { permissionsOf } from "./permissions.ts";
import { ALL_RIGHTS, NO_RIGHTS, type Rights } from "./rights.ts";

const vm = { vmId: "a" }, other = { vmId: "b" };
const viewer: Rights = [[{ permissions: permissionsOf("viewer"), on: { kind: "everything" } }]];
const ofOne: Rights = [[{ permissions: permissionsOf("operator"), on: { kind: "vm", vmId: "a" } }]];

Deno.test("mayCall() asks for the VM that is named, else for any", () => {
  assert.equal(mayCall(ofOne, "start_vm", vm), true);
  assert.equal(mayCall(ofOne, "start_vm", other), false);
  assert.equal(mayCall(ofOne, "start_vm"), true);
  assert.equal(mayCall(viewer, "start_vm"), false);
  assert.equal(mayCall(ALL_RIGHTS, "start_vm", other), true);
});

Deno.test("mayCall() asks for everything where a command is about the host, and for nothing where it needs nothing", () => {
  assert.equal(mayCall(ofOne, "create_vm"), false);
  assert.equal(mayCall(viewer, "get_host_metrics"), true);
  assert.equal(mayCall(ofOne, "get_host_metrics"), false);
  assert.equal(mayCall(NO_RIGHTS, "sign_in"), true);
});
