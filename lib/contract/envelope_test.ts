import assert from "node:assert/strict";
import { openEnvelope, ownFields } from "./envelope.ts";
import { ContractError } from "./errors.ts";
import { COMMANDS } from "./mod.ts";

const config = { envelope: "config" };

Deno.test("openEnvelope() takes the fields out of their object, and leaves flat ones alone", () => {
  assert.deepEqual(openEnvelope(config, { config: { name: "a", start: true } }), { name: "a", start: true });
  assert.deepEqual(openEnvelope({ envelope: "options" }, { vmId: "v", options: { deleteDisks: true } }), {
    vmId: "v",
    deleteDisks: true,
  });
  for (const input of [{ name: "a" }, null, undefined, 3, "config", [{ config: {} }], {}]) {
    assert.equal(openEnvelope(config, input), input);
  }
  const other = { config: { name: "a" } };
  assert.equal(openEnvelope({}, other), other, "a command without an envelope");
});

Deno.test("openEnvelope() refuses what is no object, and a field in both places", () => {
  for (
    const [input, text] of [
      [{ config: null }, /config must be an object/],
      [{ config: ["a"] }, /config must be an object/],
      [{ config: "a" }, /config must be an object/],
      [{ name: "a", config: { name: "b" } }, /name was given twice/],
    ] as const
  ) {
    const error = openEnvelope(config, input);
    assert.ok(error instanceof ContractError);
    assert.match(error.message, text);
  }
});

Deno.test("openEnvelope() brings no field in that an object has by itself", () => {
  const opened = openEnvelope(config, JSON.parse(`{"config":{"__proto__":{"start":true}}}`)) as object;
  assert.equal(Object.getPrototypeOf(opened), Object.prototype);
  assert.ok(Object.hasOwn(opened, "__proto__"), "it stays a field, which the schema refuses");
});

Deno.test("ownFields() takes a pool by the seed's name for it, where the command has a pool", () => {
  assert.deepEqual(ownFields(COMMANDS.get_volumes, { poolId: "p" }), { pool: "p" });
  assert.deepEqual(ownFields(COMMANDS.create_volume, { poolId: "p", config: { name: "a" } }), {
    pool: "p",
    name: "a",
  });
  const other = { poolId: "p" };
  assert.equal(ownFields(COMMANDS.get_vm, other), other);
  const twice = ownFields(COMMANDS.get_volumes, { poolId: "p", pool: "q" });
  assert.ok(twice instanceof ContractError);
  assert.match(twice.message, /pool was given twice/);
});
