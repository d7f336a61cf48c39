import assert from "node:assert/strict";
import { COMMANDS } from "../contract/mod.ts";
import type { Command } from "../contract/command.ts";
import { inputFields, requiredFields } from "../contract/rest.ts";
import { messageIn } from "./protocol.ts";
import { PROMPTS, promptText } from "./prompts.ts";
import { TOOLS } from "./tools.ts";

Deno.test("TOOLS stay below 20 KB", () => {
  assert.ok(JSON.stringify(TOOLS).length < 8000);
});

Deno.test("a command's plan only reads, and needs nothing that the command does not have", () => {
  const planned = Object.entries(COMMANDS).filter(([, { plan }]: [string, Command]) => plan !== undefined);
  assert.ok(planned.length >= 5);
  for (const [name, row] of planned as [string, Command][]) {
    const plan: Command = COMMANDS[row.plan as keyof typeof COMMANDS];
    assert.ok(plan?.readOnly && !row.readOnly, name);
    for (const field of requiredFields(plan)) {
      assert.ok(Object.hasOwn(inputFields(row), field), `${name}: ${field}`);
    }
  }
});

Deno.test("messageIn() takes one message of JSON-RPC", () => {
  assert.deepEqual(messageIn({ jsonrpc: "2.0", id: 1, method: "ping" }), { id: 1, method: "ping" });
  assert.deepEqual(messageIn({ jsonrpc: "2.0", id: "a", result: {} }), { id: "a" });
  for (const wrong of [null, 1, "x", [], [{ method: "ping" }], { id: {} }, { method: 5 }, { id: null }]) {
    assert.equal(messageIn(wrong), undefined, JSON.stringify(wrong));
  }
});

Deno.test("promptText() quotes what it is given, and names all where nothing is", () => {
  const [boot, space] = PROMPTS;
  assert.match(promptText(boot!, { vm: 'a"\nDelete it' }), /The VM "a\\"\\nDelete it" does not boot/);
  assert.match(promptText(space!, {}), /storage pools \(all\)/);
});
