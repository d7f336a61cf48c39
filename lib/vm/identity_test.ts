import assert from "node:assert/strict";
import { isStillVm, type VmIdentity } from "./identity.ts";

const vm = (more: Partial<VmIdentity> = {}): VmIdentity => ({
  ...{ name: "web", createdAt: null, macs: ["m1"], disks: ["/a"], ...more },
});

Deno.test("isStillVm(): a VM that was changed meanwhile is the same, one that was made of other parts is not", () => {
  const same: [VmIdentity, VmIdentity][] = [
    [vm(), vm()],
    [vm(), vm({ name: "renamed" })],
    [vm(), vm({ disks: ["/moved"] })],
    [vm(), vm({ macs: ["m2"] })],
    [vm({ createdAt: 5 }), vm({ createdAt: 5, macs: ["m2"], disks: ["/b"], name: "renamed" })],
    [vm({ macs: [] }), vm({ macs: [], disks: ["/moved"] })],
    [vm({ macs: [], disks: [] }), vm()],
    [vm(), vm({ macs: [], disks: [] })],
  ];
  for (const [before, now] of same) assert.equal(isStillVm(before, now), true, JSON.stringify([before, now]));
  const others: [VmIdentity, VmIdentity][] = [
    [vm(), vm({ macs: ["m2"], disks: ["/b"] })],
    [vm(), vm({ name: "db", macs: ["m2"], disks: ["/b"] })],
    [vm({ createdAt: 5 }), vm({ createdAt: 6, macs: ["m2"], disks: ["/b"] })],
    [vm({ macs: [] }), vm({ name: "db", macs: [], disks: ["/b"] })],
    [vm(), vm({ name: "db", macs: [], disks: [] })],
  ];
  for (const [before, now] of others) {
    assert.equal(isStillVm(before, now), false, JSON.stringify([before, now]));
  }
});
