import assert from "node:assert/strict";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { VolumeUsage } from "./volume_usage.ts";
import type { Volume } from "./volumes.ts";

const disk = (source: string) => ({ type: "file", source });
const VMS = [
  { id: "1", name: "web", disks: [disk("/pool/base.qcow2")] },
  { id: "2", name: "boot-test-a", disks: [disk("/pool/overlay.qcow2")] },
  { id: "3", name: "boot-test-b", disks: [disk("/pool/base.qcow2")] },
];
const VOLUMES = [
  { pool: "p", name: "base.qcow2", path: "/pool/base.qcow2" },
  { pool: "p", name: "overlay.qcow2", path: "/pool/overlay.qcow2", backing: { path: "/pool/base.qcow2" } },
] as unknown as Volume[];

Deno.test("VolumeUsage names VMs that are in no list without leading to a page of theirs", () => {
  const inventory = {
    everyVm: () => VMS,
    vm: (id: string) => VMS.find((vm) => vm.id === id && id === "1"),
    storage: { known: () => VOLUMES },
  } as unknown as Inventory;
  const usage = new VolumeUsage(inventory);
  assert.deepEqual(usage.of(VOLUMES[0]!), [
    { vmId: "", name: "boot-test-a" },
    { vmId: "", name: "boot-test-b" },
    { vmId: "1", name: "web" },
  ]);
});
