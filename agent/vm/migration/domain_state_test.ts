import assert from "node:assert/strict";
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import { incomingState, isTakenBack } from "./domain_state.ts";

const domain = (state: number, reason: number, persistent = true) =>
  ({ state, reason, persistent }) as unknown as DomainRecord;

Deno.test("incomingState(): a VM has come once it runs, is paused for another reason, or is stored and off", () => {
  assert.equal(incomingState(null), "missing");
  assert.equal(incomingState(domain(1, 1)), "running");
  assert.equal(incomingState(domain(3, 1)), "paused");
  assert.equal(incomingState(domain(5, 1)), "off");
});

Deno.test("incomingState(): one that is held, or that libvirt takes back, has not come", () => {
  assert.equal(incomingState(domain(3, 2, false)), "incoming");
  assert.equal(incomingState(domain(3, 11, false)), "incoming");
  // While its QEMU ends, libvirt still lists it for a moment
  assert.equal(incomingState(domain(5, 6, false)), "incoming");
});

Deno.test("isTakenBack(): only one that was stopped for the last moment of a move and goes on", () => {
  assert.equal(isTakenBack(domain(1, 6), true), true);
  assert.equal(isTakenBack(domain(1, 1), true), false);
  assert.equal(isTakenBack(domain(3, 6), true), false);
  // Nothing shows it of one that was paused, until somebody has it go on
  assert.equal(isTakenBack(domain(3, 1), false), true);
  assert.equal(isTakenBack(domain(1, 1), false), false);
});
