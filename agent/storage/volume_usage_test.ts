import assert from "node:assert/strict";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { VolumeKeepers } from "./volume_keepers.ts";
import { VolumeUsage } from "./volume_usage.ts";
import type { PoolVolume } from "./volumes.ts";

const disk = (source: string) => ({ type: "file", source });
const VMS = [
  { id: "1", name: "web", disks: [disk("/pool/base.qcow2")] },
  { id: "2", name: "boot-test-a", disks: [disk("/pool/overlay.qcow2")] },
  { id: "3", name: "boot-test-b", disks: [disk("/pool/base.qcow2")] },
];
const VOLUMES = [
  { pool: "p", name: "base.qcow2", path: "/pool/base.qcow2" },
  { pool: "p", name: "overlay.qcow2", path: "/pool/overlay.qcow2", backing: { path: "/pool/base.qcow2" } },
  { pool: "p", name: "alone.qcow2", path: "/pool/alone.qcow2", backing: { path: "/pool/bare.qcow2" } },
] as unknown as PoolVolume[];
/** Files that are kept, and by what. */
const KEPT = [
  ["golden.qcow2", "template golden"],
  ["spool.qcow2", "backup nightly"],
  ["binned.qcow2", "VM old in the bin"],
] as const;
const at = (name: string, type = "file") => ({ pool: "p", name, path: `/pool/${name}`, type }) as PoolVolume;
const pool = (name: string, path: string) => ({
  name,
  xml: `<pool type='dir'><name>${name}</name><target><path>${path}</path></target></pool>`,
});

async function usage(paths: Readonly<Record<string, readonly string[]>> = {}) {
  const inventory = {
    everyVm: () => VMS,
    anyVm: (id: string) => VMS.find((vm) => vm.id === id),
    vm: (id: string) => VMS.find((vm) => vm.id === id && id === "1"),
    record: (id: string) => ({ summary: { paths: paths[id] ?? [] } }),
    storage: {
      known: () => VOLUMES,
      peek: () => VOLUMES,
      records: () => [pool("p", "/pool"), pool("nest", "/pool/nest/deep")],
    },
  } as unknown as Inventory;
  const keepers = new VolumeKeepers(null);
  keepers.add(() => KEPT.map(([name, keeper]) => ({ path: `/pool/${name}`, keeper })));
  const link = { machine: null, call: () => Promise.resolve([]) };
  return await VolumeUsage.read(
    { inventory, keepers, link } as unknown as Parameters<typeof VolumeUsage.read>[0],
  );
}

Deno.test("VolumeUsage names VMs that are in no list without leading to a page of theirs", async () => {
  assert.deepEqual((await usage()).of(VOLUMES[0]!), [
    { vmId: "", name: "boot-test-a" },
    { vmId: "", name: "boot-test-b" },
    { vmId: "1", name: "web" },
  ]);
});

Deno.test("VolumeUsage knows files that are no disks, what is kept, and what lies in a folder", async () => {
  const users = await usage({ 1: ["/pool/vmlinuz", "/pool/folder/in.qcow2"] });
  const names = (volume: PoolVolume) => users.of(volume).map(({ name }) => name);
  assert.deepEqual(names(at("vmlinuz")), ["web"]);
  for (const [name, keeper] of KEPT) assert.deepEqual(names(at(name)), [keeper]);
  assert.deepEqual(names(at("bare.qcow2")), ["volume alone.qcow2 of p"]);
  assert.deepEqual([users.isOfVm(at("bare.qcow2")), users.isOfVm(at("base.qcow2"))], [false, true]);
  assert.deepEqual(names(at("folder", "dir")), ["web"]);
  assert.deepEqual(names(at("nest", "dir")), ["storage pool nest"]);
  assert.deepEqual([names(at("other", "dir")), names(at("fold"))], [[], []]);
});
