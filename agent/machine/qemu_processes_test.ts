import assert from "node:assert/strict";
import { vmOfQemu } from "./qemu_processes.ts";

Deno.test("vmOfQemu() knows QEMU by its program and the VM by its id", () => {
  const uuid = "1B5A5B2A-4eee-4fa0-9859-2333400250b1";
  for (const program of ["/usr/bin/qemu-system-x86_64", "qemu-kvm", "/usr/libexec/qemu-kvm"]) {
    assert.equal(vmOfQemu([program, "-name", "guest=a", "-uuid", uuid, "-S", ""]), uuid.toLowerCase());
    assert.equal(vmOfQemu([program, "-S", ""]), undefined);
    assert.equal(vmOfQemu([program, "-uuid"]), undefined);
  }
  assert.equal(vmOfQemu(["/usr/bin/less", "-uuid", uuid]), undefined);
  assert.equal(vmOfQemu(["qemu-img", "-uuid", uuid]), undefined);
  assert.equal(vmOfQemu([""]), undefined);
});
