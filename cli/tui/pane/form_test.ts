import assert from "node:assert/strict";
import { ApiError } from "../../../lib/client/api.ts";
import { aVm } from "../../../lib/text/vm_fixture_test.ts";
import { answersOf, painted, place, press, tableServer, TestDesk } from "../testing.ts";
import { openForm } from "./form.ts";

const VMS = [aVm({ name: "web", id: "5f0b8d3e-0000-4000-8000-000000000001", state: "stopped" })];

async function formOf(name: Parameters<typeof openForm>[1], more: Record<string, unknown>) {
  const desk = await TestDesk.of(tableServer({ ...answersOf(VMS), ...more }));
  openForm(desk, name);
  const type = (text: string) => press(desk.top, ...text);
  return { desk, type, text: () => painted(desk.top.lines(place(100, 40)), 100).join("\n") };
}

Deno.test("names are looked up, values are read in their units, and what is destroyed is asked about first", async () => {
  const calls: unknown[] = [];
  const { desk, type } = await formOf("delete_vm", {
    delete_vm: (input: unknown) => calls.push(input) && null,
  });
  type("web");
  press(desk.top, "ctrl+s");
  await desk.settled();
  assert.deepEqual(calls, []);
  press(desk.top, "n");
  press(desk.top, "ctrl+s");
  await desk.settled();
  press(desk.top, "y");
  await desk.settled();
  assert.deepEqual(calls, [{ vmId: VMS[0]!.id }]);
  assert.equal(desk.panes.length, 0);
});

Deno.test("what is missing, misread or refused is said, and what was filled in stays", async () => {
  const { desk, type, text } = await formOf("rename_vm", {
    rename_vm: () => Promise.reject(new ApiError("InvalidName", "Invalid VM name: \x1b[31mbad")),
  });
  press(desk.top, "ctrl+s");
  await desk.settled();
  assert.match(text(), /missing <vmId>/);
  type("web");
  press(desk.top, "enter");
  type("1x");
  press(desk.top, "ctrl+s");
  await desk.settled();
  assert.match(text(), /Invalid VM name: \?\[31mbad/);
  assert.match(text(), /web[^]*1x/);
  // A form that is left and opened again has it
  press(desk.top, "esc");
  openForm(desk, "rename_vm");
  assert.match(text(), /web[^]*1x/);
  press(desk.top, "ctrl+u", "tab", "ctrl+u", "esc");
});

Deno.test("secrets are not shown, not kept, and sent", async () => {
  const calls: unknown[] = [];
  const { desk, text } = await formOf("create_user", {
    create_user: (input: unknown) => calls.push(input) && null,
  });
  press(desk.top, ..."ann");
  for (let step = 0; step < 20 && !/> password/.test(text()); step++) press(desk.top, "down");
  press(desk.top, ..."hidden things");
  assert.doesNotMatch(text(), /hidden/);
  press(desk.top, "esc");
  openForm(desk, "create_user");
  assert.match(text(), /ann/);
  assert.doesNotMatch(text(), /\*{4}/);
  for (let step = 0; step < 20 && !/> password/.test(text()); step++) press(desk.top, "down");
  press(desk.top, ..."hidden things", "ctrl+s");
  await desk.settled();
  assert.deepEqual(calls, [{ name: "ann", password: "hidden things" }]);
});

Deno.test("names that there are are offered, and taken by a key", async () => {
  const { desk, type, text } = await formOf("start_vm", {});
  await desk.settled();
  assert.match(text(), /There are: web/);
  type("w");
  press(desk.top, "ctrl+n");
  assert.match(text(), /> vm-id\* +web/);
});
