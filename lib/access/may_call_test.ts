import assert from "node:assert/strict";
import { mayCall } from "./may_call.ts";
import { permissionsOf } from "./permissions.ts";
import { ALL_RIGHTS, NO_RIGHTS, type Rights } from "./rights.ts";

const vm = { vmId: "a", hostId: "lab" }, other = { vmId: "b", hostId: "lab" };
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

Deno.test("mayCall() asks on the host that is named: for its own commands, its VMs' and what these need in addition", () => {
  const rights: Rights = [[{ permissions: permissionsOf("operator"), on: { kind: "host", host: "lab" } }]];
  const lab = { hostId: "lab" }, local = { hostId: "local" };
  for (const command of ["start_network", "get_host_metrics", "create_volume", "attach_disk"] as const) {
    assert.equal(mayCall(rights, command, lab), true, command);
    assert.equal(mayCall(rights, command, local), false, command);
    assert.equal(mayCall(rights, command), false, command);
  }
  assert.equal(mayCall(rights, "attach_disk", other), true);
  assert.equal(mayCall(rights, "attach_disk", { ...other, hostId: "local" }), false);
  assert.equal(mayCall(rights, "set_image_policy", lab), false, "it is about all hosts");
  assert.equal(mayCall(rights, "list_users", lab), false);
});
