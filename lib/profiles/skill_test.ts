import assert from "node:assert/strict";
import { skillParameters } from "./skill.ts";

Deno.test("skillParameters() gives each parameter its type, its field, and whether it is a secret", () => {
  const steps = [
    { command: "set_tags", input: { vmId: "{{vm}}", tags: ["{{tag}}", "x-{{count}}"] } },
    { command: "update_vm", input: { vmId: "{{vm}}", title: "{{count}}", cpu: { count: "{{count}}" } } },
    { command: "attach_disk", input: { vmId: "{{vm}}", readOnly: "{{read_only}}" } },
    { command: "guest_set_password", input: { vmId: "{{vm}}", user: "ann", password: "{{password}}" } },
    { command: "batch_start_vms", input: { vmIds: "{{vms}}" } },
    { command: "constructor", input: { vmId: "{{vm}}" } },
  ];
  const parameters = ["vm", "tag", "count", "read_only", "password", "vms", "unused"];
  const told = skillParameters({ parameters, steps });
  assert.deepEqual(told.map(({ name, type, field, is_secret }) => [name, type, field, is_secret]), [
    ["vm", "string", "vmId", false],
    ["tag", "string", "tags.0", false],
    ["count", "integer", "title", false],
    ["read_only", "boolean", "readOnly", false],
    ["password", "string", "password", true],
    ["vms", "array", "vmIds", false],
    ["unused", "string", null, false],
  ]);
  assert.ok(told.every(({ required }) => required));
});
