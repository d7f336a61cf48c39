import assert from "node:assert/strict";
import { isForwardDevice } from "../../machine/network_devices.ts";
import { forwardNames } from "./names.ts";

Deno.test("forwardNames() are plain for the usual folder, and others for every other", () => {
  const usual = forwardNames("/var/lib/kvm-manager/");
  assert.equal(usual.table, "kvm_manager");
  const [one, two] = [forwardNames("/tmp/one"), forwardNames("/tmp/two")];
  for (const key of ["table", "out", "in", "mark"] as const) {
    assert.equal(new Set([usual, one, two].map((names) => names[key])).size, 3, key);
  }
  assert.deepEqual(forwardNames("/tmp/x/../one"), one);
});

Deno.test("forwardNames() fit into what the kernel takes, and are known again", () => {
  for (const folder of ["/var/lib/kvm-manager", "/srv/a", "relative"]) {
    const { out, in: end, mark } = forwardNames(folder);
    for (const device of [out, end]) assert.ok(device.length <= 15 && isForwardDevice(device), device);
    assert.ok(mark > 0xffff && mark <= 0xffff_ffff);
  }
  assert.equal(isForwardDevice("virbr0"), false);
});
