import assert from "node:assert/strict";
import { isSameVm, isStillVm, type VmIdentity } from "./identity.ts";

const vm = (more: Partial<VmIdentity> = {}): VmIdentity => ({
  name: "web",
  createdAt: null,
  macs: ["m1"],
  disks: ["/a"],
  ...more,
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

const WEB: VmIdentity = { name: "web", createdAt: null, macs: ["m1"], disks: ["d1"] };

/** A VM before and now, and whether it is the same. */
const ROWS: readonly [before: Partial<VmIdentity>, now: Partial<VmIdentity>, same: boolean][] = [
  [{}, { disks: ["d2"] }, true],
  [{}, { macs: ["m2"] }, true],
  [{}, { name: "www" }, true],
  [{}, { name: "www", disks: ["d2"] }, true],
  [{}, { disks: ["d2"], macs: ["m2"] }, false],
  [{}, { disks: [], macs: [] }, false],
  [{ macs: [] }, { macs: [], disks: ["d2"] }, true],
  [{ macs: [] }, { macs: [], disks: [] }, true],
  [{ macs: [] }, { macs: [], disks: ["d2"], name: "www" }, false],
  [{ macs: [], createdAt: 1 }, { macs: [], disks: ["d2"] }, false],
  [{ macs: [], createdAt: 1 }, { macs: [], disks: ["d2"], createdAt: 1 }, true],
  [{ createdAt: 1 }, { createdAt: 2, macs: ["m2"] }, false],
  [{ createdAt: 1 }, { createdAt: 2 }, true],
  [{ macs: [], disks: [] }, { macs: [], disks: [] }, true],
  [{ macs: [], disks: [] }, { macs: [], disks: [], name: "www" }, false],
];

Deno.test("isSameVm() takes a VM that one thing was changed of for the same, and one that shares nothing for another", () => {
  for (const [index, [before, now, same]] of ROWS.entries()) {
    assert.equal(isSameVm({ ...WEB, ...before }, { ...WEB, ...now }), same, `row ${index}`);
  }
});
