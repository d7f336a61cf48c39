import assert from "node:assert/strict";
import { aVm } from "../text/vm_fixture_test.ts";
import { findCommands } from "./palette.ts";

const vms = [aVm({ name: "web-01", state: "stopped" }), aVm({ name: "db-01" })];
const labels = (typed: string, controllable = true) =>
  findCommands(typed, vms, controllable).map(({ command }) => command.label);

Deno.test("findCommands() begins with the pages", () => assert.equal(labels("")[0], "Dashboard"));
Deno.test("findCommands() finds a machine before the actions on it", () => {
  assert.deepEqual(labels("web").slice(0, 2), ["web-01", "Start web-01"]);
});
Deno.test("findCommands() finds an action by its words", () => {
  assert.equal(labels("start web")[0], "Start web-01");
  assert.equal(labels("shut db")[0], "Shut down db-01");
});
Deno.test("findCommands() finds a page of a machine, also while nothing can be done", () => {
  assert.equal(labels("serial web")[0], "Serial of web-01");
  assert.equal(labels("console db", false)[0], "Console of db-01");
});
Deno.test("findCommands() offers no action while nothing can be done", () => {
  assert.deepEqual(labels("start web", false), []);
});
