import assert from "node:assert/strict";
import Type from "typebox";
import { type CommandName, COMMANDS } from "./mod.ts";
import { LOCAL_HOST } from "./local_host.ts";
import { hostField, onHost } from "./on_host.ts";
import { inputFields } from "./rest.ts";

const fieldsOf = (name: CommandName) => Object.keys(inputFields(COMMANDS[name]));

Deno.test("onHost() gives the field to what is about a host, not to what its VM tells the host of", () => {
  const table: [CommandName, boolean][] = [
    ["get_storage_pools", true],
    ["get_networks", true],
    ["create_vm", true],
    ["get_host_info", true],
    ["list_port_forwards", true],
    ["start_vm", false],
    ["attach_disk", false],
    ["sign_in", false],
  ];
  for (const [name, has] of table) assert.equal(fieldsOf(name).includes("host"), has, name);
});

Deno.test("hostField() says nothing of the local host", () => {
  assert.deepEqual([hostField(LOCAL_HOST), hostField("lab")], [{}, { host: "lab" }]);
});

Deno.test("onHost() refuses a command whose own field would be taken for the host", () => {
  const taken = { ...COMMANDS.find_storage_sources, input: Type.Object({ host: Type.String() }) };
  assert.throws(() => onHost({ find_storage_sources: taken }), /find_storage_sources has a field host/);
});
