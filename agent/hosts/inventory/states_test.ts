import assert from "node:assert/strict";
import { LIFECYCLE } from "../../../ffi/events.ts";
import type { VmState } from "../../../lib/contract/vm.ts";
import { isActiveState, STATE_AFTER, stateReason, STOPPED_REASON, vmState } from "./states.ts";

Deno.test("vmState() is what a person sees of libvirt's state, reason and saved memory", () => {
  // state, reason, saved memory → word
  const table: [number, number, boolean, VmState][] = [
    [0, 0, false, "stopped"],
    [1, 1, false, "running"],
    [1, 1, true, "running"],
    [2, 0, false, "running"],
    [3, 1, false, "paused"],
    [3, 5, false, "paused"],
    [3, 5, true, "paused"],
    [3, 11, false, "running"], // starting up
    [4, 1, false, "running"], // being shut down
    [5, 1, false, "stopped"],
    [5, 2, false, "stopped"],
    [5, 3, false, "crashed"],
    [5, 5, true, "suspended"],
    [5, 1, true, "suspended"],
    [5, 3, true, "suspended"], // its memory is saved: a start continues it
    [6, 1, false, "crashed"],
    [7, 0, false, "suspended"], // asleep (S3)
    [8, 0, false, "stopped"], // a state of a newer libvirt
    [-1, 0, false, "stopped"],
  ];
  for (const [state, reason, saved, word] of table) {
    assert.equal(vmState(state, reason, saved), word, `${state}/${reason}`);
  }
});

Deno.test("isActiveState() is true wherever QEMU still exists: a guest that panicked and was kept has one", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map(isActiveState), [
    false,
    true,
    true,
    true,
    true,
    false,
    true,
    true,
  ]);
});

Deno.test("stateReason() has libvirt's word, and none where libvirt has none", () => {
  const table: [number, number, string | undefined][] = [
    [1, 1, "booted"],
    [1, 5, "unpaused"],
    [3, 1, "by user"],
    [3, 5, "I/O error"],
    [3, 6, "watchdog"],
    [5, 2, "powered off"],
    [5, 3, "crashed"],
    [6, 1, "panicked"],
    [1, 0, undefined],
    [1, 99, undefined],
    [7, 0, undefined],
    [99, 1, undefined],
  ];
  for (const [state, reason, word] of table) assert.equal(stateReason(state, reason), word);
});

Deno.test("STATE_AFTER and STOPPED_REASON lead from an event to the state it ends in", () => {
  const after = (kind: typeof LIFECYCLE[number], detail = 0) => {
    const known = STATE_AFTER[kind];
    return known && vmState(known.state, kind === "stopped" ? STOPPED_REASON[detail]! : known.reason, false);
  };
  assert.deepEqual(Object.fromEntries(LIFECYCLE.map((kind) => [kind, after(kind)])), {
    defined: undefined,
    undefined: undefined,
    started: "running",
    suspended: "paused",
    resumed: "running",
    stopped: "stopped",
    shutdown: "running",
    pmsuspended: "suspended",
    crashed: "crashed",
  });
  assert.equal(after("stopped", 2), "crashed");
  assert.equal(stateReason(5, STOPPED_REASON[1]!), "powered off");
});
