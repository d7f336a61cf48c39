import assert from "node:assert/strict";
import Type from "typebox";
import { COMMANDS } from "./mod.ts";
import { fromText, inputFields, requiredFields, REST_ROUTES } from "./rest.ts";

Deno.test("REST_ROUTES have every command, with method, path and the fields in it", () => {
  assert.deepEqual(REST_ROUTES.map((route) => route.name), Object.keys(COMMANDS));
  const { method, path, pathFields } = REST_ROUTES.find((route) => route.name === "set_tags")!;
  assert.deepEqual([method, path, pathFields], ["PUT", "/vms/{vmId}/tags", ["vmId"]]);
});

Deno.test("inputFields() and requiredFields() read an input's schema", () => {
  assert.deepEqual(Object.keys(inputFields(COMMANDS.delete_vm)), [
    "vmId",
    "deleteDisks",
    "disks",
    "permanently",
  ]);
  assert.deepEqual(requiredFields(COMMANDS.delete_vm), ["vmId"]);
  assert.deepEqual([inputFields(COMMANDS.get_session), requiredFields(COMMANDS.get_session)], [{}, []]);
});

Deno.test("fromText() gives what the schema wants, and leaves what it cannot read for the validation to name", () => {
  const table: [Parameters<typeof fromText>[0], string, unknown][] = [
    [Type.Boolean(), "true", true],
    [Type.Boolean(), "1", true],
    [Type.Boolean(), "", true], // ?deleteDisks
    [Type.Boolean(), "false", false],
    [Type.Boolean(), "0", false],
    [Type.Boolean(), "yes", "yes"],
    [Type.Boolean(), "TRUE", "TRUE"],
    [Type.Integer(), "7", 7],
    [Type.Integer(), "-7", -7],
    [Type.Integer(), "7.5", 7.5], // the validation says that it must be an integer
    [Type.Integer(), "", ""],
    [Type.Integer(), " ", " "],
    [Type.Integer(), "seven", "seven"],
    [Type.Integer(), "NaN", "NaN"],
    [Type.Integer(), "Infinity", "Infinity"],
    [Type.Integer(), "1e999", "1e999"],
    [Type.Number(), "0.5", 0.5],
    [Type.String(), "7", "7"],
    [Type.String(), "true", "true"],
    [Type.Array(Type.String()), "a,b", ["a", "b"]],
    [Type.Array(Type.String()), "", []],
    [Type.Array(Type.Integer()), "1,x", [1, "x"]],
    [undefined, "7", "7"],
  ];
  for (const [schema, text, expected] of table) assert.deepEqual(fromText(schema, text), expected, text);
});
