import assert from "node:assert/strict";
import { VM_STATES } from "../contract/vm.ts";
import { ACTIONS, choiceOf, CHOICES, isActionName, isAllowed, ownDisks, perform } from "./actions.ts";

Deno.test("CHOICES offers no action twice in a state, and never a dangerous one first", () => {
  for (const state of VM_STATES) {
    const { primary, buttons, menu } = CHOICES[state];
    const all = [primary, ...buttons, ...menu];
    assert.equal(new Set(all).size, all.length, state);
    assert.equal(ACTIONS[primary].danger, undefined, state);
  }
});

Deno.test("isAllowed() follows the state", () => {
  assert(isAllowed("stop", { state: "running", persistent: true }));
  assert(!isAllowed("start", { state: "running", persistent: true }));
  assert(!isAllowed("delete", { state: "running", persistent: true }));
  assert(isAllowed("resume", { state: "paused", persistent: true }));
});

Deno.test("choiceOf() a transient machine leaves out what needs a kept definition", () => {
  assert.deepEqual(choiceOf({ state: "running", persistent: false }).menu, ["reset", "force_stop"]);
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
  await perform(api, "delete", "a", { deleteDisks: true });
  assert.deepEqual(calls, [
    ["forceStopVm", { vmId: "a" }],
    ["deleteVm", { vmId: "a", deleteDisks: false }],
    ["deleteVm", { vmId: "a", deleteDisks: true }],
  ]);
});

Deno.test("ownDisks() names only what the machine alone writes", () => {
  const disk = { target: "vda", bus: "virtio", type: "file", readOnly: false, shareable: false } as const;
  assert.deepEqual(
    ownDisks({
      disks: [
        { ...disk, device: "disk", source: "/a.qcow2" },
        { ...disk, device: "cdrom", source: "/x.iso" },
        { ...disk, device: "disk", source: "/shared.img", shareable: true },
        { ...disk, device: "disk", source: "/dev/sda", type: "block" },
        { ...disk, device: "disk" },
      ],
    }),
    ["/a.qcow2"],
  );
});
