import assert from "node:assert/strict";
import { hypervisor } from "./handlers.ts";

Deno.test("hypervisor() says KVM where it was found to work alone", () => {
  assert.equal(hypervisor({ type: "QEMU" }, null), "QEMU/KVM");
  assert.equal(hypervisor({ type: "QEMU" }, "a guest hangs under it"), "QEMU");
  assert.equal(hypervisor({ type: "QEMU" }, undefined), "QEMU", "not tried yet");
  assert.equal(hypervisor({ type: "TEST" }, undefined), "test");
});
