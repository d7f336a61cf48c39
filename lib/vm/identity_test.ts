import assert from "node:assert/strict";
import { isSameVm, type VmIdentity } from "./identity.ts";

const WEB: VmIdentity = { name: "web", createdAt: null, macs: ["m1"], disks: ["d1"] };

/** What a VM was, what it is now, and whether it is the same. */
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
