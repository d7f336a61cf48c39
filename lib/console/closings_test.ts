import assert from "node:assert/strict";
import type { VmState } from "../contract/mod.ts";
import { hasScreenNow, screenTrouble } from "./closings.ts";

const vm = (state: VmState, ...types: string[]) => ({ state, graphics: types.map((type) => ({ type })) });

Deno.test("screenTrouble() says why a screen is black", () => {
  assert.equal(screenTrouble(vm("running", "vnc")), null);
  assert.equal(screenTrouble(vm("running", "spice", "vnc")), null);
  assert.equal(screenTrouble(vm("running", "spice")), "spice");
  assert.equal(screenTrouble(vm("stopped", "egl-headless")), "none");
  assert.equal(screenTrouble(vm("stopped", "vnc")), "off");
  assert.equal(screenTrouble(vm("crashed", "vnc")), "off");
  assert.equal(screenTrouble(vm("paused", "vnc")), "paused");
  assert.equal(screenTrouble(vm("suspended", "vnc")), "suspended");
});

Deno.test("hasScreenNow() is true while QEMU has a VNC server", () => {
  assert.equal(hasScreenNow(vm("running", "vnc")), true);
  assert.equal(hasScreenNow(vm("paused", "vnc")), true);
  assert.equal(hasScreenNow(vm("stopped", "vnc")), false);
  assert.equal(hasScreenNow(vm("running", "spice")), false);
  assert.equal(hasScreenNow({ ...vm("running", "vnc"), operation: "starting" }), false);
  assert.equal(hasScreenNow({ ...vm("running", "vnc"), operation: "updating" }), true);
});
