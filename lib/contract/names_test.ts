import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import { importRequest } from "../vm/import_form.ts";
import { type CommandName, COMMANDS } from "./mod.ts";

/** Commands that give something a name, and the field it stands in. */
const NAMING: readonly [command: CommandName, field: string, rest: Record<string, unknown>][] = [
  ["set_group", "group", { vmId: "v" }],
  ["update_vm", "group", { vmId: "v" }],
  ["update_vm", "title", { vmId: "v" }],
  ["create_vm", "title", { name: "web" }],
  ["create_vm", "group", { name: "web" }],
  ["create_vm", "name", {}],
  ["rename_vm", "name", { vmId: "v" }],
  ["create_network", "name", { mode: "isolated" }],
  ["create_storage_pool", "name", { type: "dir", path: "/p" }],
  ["create_storage_pool", "path", { type: "dir", name: "p" }],
  ["create_volume", "name", { pool: "p", capacityBytes: 1024 ** 2 }],
  ["create_user", "displayName", { name: "ann" }],
  ["create_token", "name", {}],
  ["create_alert", "name", { watches: "vm_crashed" }],
  ["create_alert_target", "name", { channel: "webhook" }],
];

Deno.test("what is named here has no blank at its ends: it is refused, not dropped", () => {
  for (const [command, field, rest] of NAMING) {
    const validator = Compile(COMMANDS[command].input);
    const faults = (name: string) =>
      [...validator.Errors({ ...rest, [field]: name })].filter(({ instancePath }) =>
        instancePath === `/${field}`
      );
    for (const name of ["a ", " a", "a\u00a0", "\u3000a", "a\ufeff"]) {
      assert.equal(faults(name).length > 0, true, `${command} ${field} ${JSON.stringify(name)}`);
    }
    assert.deepEqual(faults("a"), [], `${command} ${field}`);
  }
});

Deno.test("importRequest() takes a name as it was typed", async () => {
  const form = new FormData();
  form.set("name", "web ");
  assert.equal((await importRequest(form)).name, "web ");
});
