import assert from "node:assert/strict";
import { VM_STATES } from "../contract/choices.ts";
import {
  ACTION_NAMES,
  ACTIONS,
  actionWords,
  allowedActions,
  BUTTON_SLOTS,
  isActionName,
  isAllowed,
  MENU_SLOTS,
  perform,
  slotsOf,
} from "./actions.ts";

Deno.test("slotsOf() keeps every action in one place whatever the state", () => {
  for (const slots of [BUTTON_SLOTS, MENU_SLOTS]) {
    const places = new Map<string, number>();
    for (const state of VM_STATES) {
      const held = slotsOf(slots, { state, persistent: true, responsive: true });
      assert.equal(held.length, slots.length, state);
      for (const [place, { name, allowed }] of held.entries()) {
        assert.equal(places.get(name) ?? place, place, `${name} moves in ${state}`);
        places.set(name, place);
        assert.equal(allowed, isAllowed(name, { state, persistent: true, responsive: true }));
      }
    }
  }
});

Deno.test("BUTTON_SLOTS no place holds what brings to life and what takes down", () => {
  for (const names of [...BUTTON_SLOTS, ...MENU_SLOTS]) {
    assert.equal(new Set(names.map((name) => ACTIONS[name].begins ?? false)).size, 1, names.join());
  }
});

Deno.test("allowedActions() has each allowed action once, and every one of them has a place", () => {
  for (const state of VM_STATES) {
    const vm = { state, persistent: true, responsive: true };
    const all = allowedActions(vm);
    assert.deepEqual(all.toSorted(), ACTION_NAMES.filter((name) => isAllowed(name, vm)).toSorted(), state);
  }
});

Deno.test("actionWords() a suspended VM is resumed from disk, not started", () => {
  assert.equal(actionWords("start", { state: "suspended" }).label, "action.resume_disk");
  assert.equal(actionWords("start", { state: "stopped" }).label, "action.start");
});

Deno.test("isAllowed() follows the state", () => {
  assert(isAllowed("stop", { state: "running", persistent: true, responsive: true }));
  assert(!isAllowed("start", { state: "running", persistent: true, responsive: true }));
  assert(!isAllowed("delete", { state: "running", persistent: true, responsive: true }));
  assert(isAllowed("resume", { state: "paused", persistent: true, responsive: true }));
  assert(isAllowed("discard_memory", { state: "suspended", persistent: true, responsive: true }));
  assert(!isAllowed("discard_memory", { state: "running", persistent: true, responsive: true }));
});

Deno.test("isAllowed() a transient machine is offered nothing that needs a kept definition", () => {
  assert(!isAllowed("suspend", { state: "running", persistent: false, responsive: true }));
  assert(isAllowed("force_stop", { state: "running", persistent: false, responsive: true }));
});

Deno.test("isActionName() refuses what is not in the table", () => {
  assert(isActionName("force_stop"));
  for (const no of ["", "toString", "__proto__", null, 1]) assert(!isActionName(no));
});

Deno.test("perform() calls the command of the action, disks kept unless said otherwise", async () => {
  const calls: unknown[] = [];
  const api = new Proxy({}, {
    get: (_target, method) => (input: unknown) => Promise.resolve(calls.push([method, input])),
  }) as Parameters<typeof perform>[0];
  await perform(api, "force_stop", "a");
  await perform(api, "delete", "a");
  await perform(api, "delete", "a", { disks: ["/a.qcow2"] });
  assert.deepEqual(calls, [
    ["forceStopVm", { vmId: "a" }],
    ["deleteVm", { vmId: "a", disks: [] }],
    ["deleteVm", { vmId: "a", disks: ["/a.qcow2"] }],
  ]);
});
