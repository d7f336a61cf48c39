import assert from "node:assert/strict";
import type { VM } from "../../lib/contract/mod.ts";
import { EventHub } from "../events/hub.ts";
import { HostEvents } from "../hosts/events.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { TestClock } from "../testing.ts";
import { withBases } from "./shown_bases.ts";
import { type KeptPath, VolumeKeepers } from "./volume_keepers.ts";
import type { PoolVolume } from "./volumes.ts";

const vmOf = (id: string, source: string, more: Partial<VM> = {}): VM =>
  ({
    id,
    name: `vm-${id}`,
    state: "stopped",
    disks: [{ target: "vda", device: "disk", type: "file", source, format: "qcow2" }],
    ...more,
  }) as VM;

const volumeOf = (name: string, on: string): PoolVolume =>
  ({ pool: "p", name, path: `/pool/${name}`, backing: { path: `/pool/${on}` } }) as PoolVolume;

/** A host whose VMs, volumes and keepers a test changes; counts looks at all VMs. */
function world() {
  const clock = new TestClock(), hub = new EventHub(), kept: KeptPath[] = [];
  const vms = new Map([vmOf("base", "/pool/base"), vmOf("clone", "/pool/clone")].map((vm) => [vm.id, vm]));
  const keepers = new VolumeKeepers(null);
  keepers.add(() => kept);
  let volumes: readonly PoolVolume[] = [volumeOf("clone", "base")], looks = 0;
  const host = {
    link: { machine: null },
    machine: null,
    keepers,
    clock,
    events: new HostEvents(hub, "local"),
    inventory: {
      everyVm: () => {
        looks++;
        return [...vms.values()];
      },
      vm: (id: string) => vms.get(id),
      active: () => [],
      record: () => undefined,
      storage: { known: () => volumes, leftOverlays: () => [], peek: () => volumes, record: () => undefined },
    },
  } as unknown as LibvirtHost;
  const bases = async (id = "base") =>
    (await withBases(host, { id }, vms.get(id)!.disks)).map(({ baseOf }) => baseOf?.map(({ name }) => name));
  /** How many looks at all VMs it takes. */
  const counted = async (run: () => Promise<unknown>) => {
    const before = looks;
    await run();
    return looks - before;
  };
  const put = (vm: VM) => {
    const name = vms.has(vm.id) ? "vm-updated" : "vm-created";
    vms.set(vm.id, vm);
    hub.publish(name, { vm });
  };
  const remove = (vmId: string) => {
    vms.delete(vmId);
    hub.publish("vm-deleted", { vmId });
  };
  return {
    clock,
    kept,
    bases,
    counted,
    put,
    remove,
    vms,
    shelve: (...all: PoolVolume[]) => volumes = all,
  };
}

Deno.test("withBases() looks at the other VMs once for many pages, and when they change", async () => {
  const { bases, counted, put, vms, clock } = world();
  await bases();
  const pages = async () => {
    for (let page = 0; page < 20; page++) assert.deepEqual(await bases(), [["vm-clone"]]);
    assert.deepEqual(await bases("clone"), [undefined]);
  };
  assert.equal(await counted(pages), 0);
  put({ ...vms.get("clone")!, state: "running", attention: ["something"] });
  assert.equal(await counted(pages), 0, "its disks are the same");
  await clock.advance(60_000);
  assert.ok(await counted(pages) > 0, "what nothing names");
});

Deno.test("withBases() tells what is built on a disk as soon as it is, and as long as it is", async () => {
  const { bases, put, remove, shelve, kept, vms } = world();
  assert.deepEqual(await bases(), [["vm-clone"]]);
  put({ ...vms.get("clone")!, name: "renamed" });
  assert.deepEqual(await bases(), [["renamed"]]);
  shelve(volumeOf("clone", "base"), volumeOf("second", "base"));
  assert.deepEqual(await bases(), [["renamed", "the volume second of p"]]);
  put(vmOf("other", "/pool/second"));
  assert.deepEqual(await bases(), [["renamed", "vm-other"]]);
  remove("other");
  kept.push({ path: "/pool/base", keeper: "template gold" });
  assert.deepEqual(await bases(), [["renamed", "template gold", "the volume second of p"]]);
  kept.pop();
  shelve();
  assert.deepEqual(await bases(), [undefined]);
});
