import assert from "node:assert/strict";
import type { OutgoingReplications } from "./outgoing.ts";
import type { StoredReplication } from "./records.ts";
import { replicationView, usualLag } from "./views.ts";

const MINUTE = 60_000;
const STORED: StoredReplication = {
  id: "r",
  vmId: "v",
  vmName: "web1",
  toHost: "kvm2",
  everySeconds: 60,
  maxLagSeconds: 600,
  isPaused: false,
  maxMibPerSecond: 0,
  takeOld: false,
  owner: { kind: "demo", name: "demo" },
  createdAt: 0,
  finished: null,
  images: {},
  lastRun: null,
};
const outgoing = { isRunning: () => false, nextOf: () => null } as unknown as OutgoingReplications;

Deno.test("replicationView() counts what is lost from the moment that the last whole increment shows", () => {
  const at = (change: Partial<StoredReplication>, now: number) => {
    const { state, lagSeconds, late } = replicationView({ ...STORED, ...change }, outgoing, now);
    return [state, lagSeconds, late];
  };
  const finished = { copyId: "c", takenAt: 60 * MINUTE };
  assert.deepEqual(at({ finished }, 65 * MINUTE), ["active", 300, false]);
  assert.deepEqual(at({ finished }, 71 * MINUTE), ["active", 660, true]);
  // None is whole yet: the age counts from its creation
  assert.deepEqual(at({}, 5 * MINUTE), ["active", null, false]);
  assert.deepEqual(at({}, 11 * MINUTE), ["active", null, true]);
  // A replication that is paused, or was switched over, is never late
  assert.deepEqual(at({ isPaused: true }, 71 * MINUTE), ["paused", null, false]);
  assert.deepEqual(at({ finished, lost: { at: 1 } }, 171 * MINUTE), ["lost", 6660, false]);
  assert.deepEqual(at({ lost: { at: 1, isUndecided: true } }, 0), ["undecided", null, false]);
  // The other host's clock is ahead
  assert.deepEqual(at({ finished }, 59 * MINUTE), ["active", 0, false]);
});

Deno.test("usualLag() is three intervals, and ten minutes at least", () => {
  assert.deepEqual([60, 900, 86_400].map(usualLag), [600, 2700, 259_200]);
});
