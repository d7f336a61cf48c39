/** Events of a VM or of objects that it uses, one entry each, with the VM to check afterwards. */
import { virsh, virshXml } from "../libvirt.ts";
import { call, shows } from "../product.ts";
import { until } from "../wait.ts";
import type { Subject, World } from "./world.ts";

/** One thing that happens. */
interface Event {
  /** It happens to the network or the pool, which are the world's own then. */
  readonly ofStorageOrNetwork?: true;
  /** Prepares the VM before any object is kept for it. */
  before?(world: World): Promise<unknown>;
  /** @returns the VM to look at, and what the answers said besides @throws {CallError} when it is refused */
  run(world: World): Promise<{ of: Subject; said: readonly string[] }>;
}

const isOff = (world: World, vmId: string) => shows(world.server, vmId, ({ state }) => state === "stopped");

/** Deletes it, and takes it back out of the bin. */
async function throughTheBin(world: World, deleteDisks: boolean) {
  const { server, vm } = world;
  const gone = await call(server, "delete_vm", { vmId: vm.id, deleteDisks });
  const { warnings } = await call(server, "restore_bin_entry", { entryId: gone.bin!.entryId });
  await isOff(world, vm.id);
  return { of: vm, said: warnings };
}

/** Waits until the VM is known by another definition than before. */
async function defined(world: World, xml: string, vmId: string): Promise<void> {
  await virshXml("define", xml);
  await until(
    "the VM is known",
    async () => (await call(world.server, "get_vms")).some(({ id }) => id === vmId),
  );
}

export const EVENTS = {
  "rename": {
    run: async (world) => {
      const { server, vm, second } = world;
      await call(server, "rename_vm", { vmId: vm.id, name: second.name });
      return { of: { id: vm.id, name: second.name }, said: [] };
    },
  },
  "delete, keep disks, restore": { run: (world) => throughTheBin(world, false) },
  "delete with disks, restore": { run: (world) => throughTheBin(world, true) },
  "clone": {
    run: async ({ server, vm, second }) => {
      const made = await call(server, "clone_vm", { vmId: vm.id, name: second.name });
      return { of: { id: made.vmId, name: made.name }, said: made.warnings ?? [] };
    },
  },
  "revert to an earlier snapshot": {
    // Internal for a VM with BIOS, external for one with UEFI
    before: ({ server, vm }) => call(server, "create_snapshot", { vmId: vm.id, name: "before" }),
    run: async ({ server, vm }) => {
      await call(server, "revert_snapshot", { vmId: vm.id, name: "before" });
      return { of: vm, said: [] };
    },
  },
  "restore in place": {
    run: async ({ server, vm, before }) => {
      const { warnings } = await call(server, "restore_backup", {
        backupId: before.backupId,
        runId: before.run.id,
        vmId: vm.id,
        inPlace: true,
      });
      return { of: vm, said: warnings };
    },
  },
  "restore as a new VM": {
    run: async ({ server, vm, before, second, pool }) => {
      const made = await call(server, "restore_backup", {
        backupId: before.backupId,
        runId: before.run.id,
        vmId: vm.id,
        name: second.name,
        pool: pool.name,
      });
      return { of: { id: made.vmId, name: made.name }, said: made.warnings };
    },
  },
  "defined by virsh from an old file": {
    run: async (world) => {
      await defined(world, world.before.xml, world.vm.id);
      await shows(world.server, world.vm.id, ({ title }) => title === undefined);
      return { of: world.vm, said: [] };
    },
  },
  "deleted, and another VM has its name": {
    run: async (world) => {
      const { server, vm, pool } = world;
      await call(server, "delete_vm", { vmId: vm.id, deleteDisks: true, permanently: true });
      const { id } = await call(server, "create_vm", {
        name: vm.name,
        memoryMb: 128,
        virtType: "qemu",
        firmware: world.boot,
        nics: [{ network: world.network.name }],
        disks: [{ sizeGb: 1, pool: pool.name }],
      });
      return { of: { id, name: vm.name }, said: [] };
    },
  },
  "deleted, and another VM has its UUID": {
    run: async (world) => {
      const { server, vm, second, before } = world;
      await call(server, "delete_vm", { vmId: vm.id, deleteDisks: true });
      const bare = before.xml.replace(/<metadata>[^]*<\/metadata>/, "").replace(/<disk [^]*<\/disk>/, "")
        .replace(/<mac address=[^>]*>/, "").replace(`<name>${vm.name}<`, `<name>${second.name}<`);
      await defined(world, bare, vm.id);
      await until(
        "the other VM is taken for another one",
        async () => (await call(server, "get_activity", { vmId: vm.id, actions: ["id-reused"] })).length > 0,
      );
      return { of: { id: vm.id, name: second.name }, said: [] };
    },
  },
  "network deleted and made again": {
    ofStorageOrNetwork: true,
    run: async ({ server, network, vm }) => {
      const xml = await virsh("net-dumpxml", network.name, "--inactive");
      const { uuid } = await call(server, "get_network", { name: network.name });
      const file = await Deno.makeTempFile({ suffix: ".xml" });
      await Deno.writeTextFile(file, xml.replace(/<host mac=[^>]*>/, "").replace(/<uuid>.*<\/uuid>/, ""));
      await virsh("net-destroy", network.name);
      await virsh("net-undefine", network.name);
      await virsh("net-define", file);
      await virsh("net-start", network.name);
      await Deno.remove(file);
      // Its events come in their own time
      await until("the new network to be known", async () => {
        const all = await call(server, "get_networks");
        return all.some((each) => each.name === network.name && each.uuid !== uuid && each.active);
      });
      return { of: vm, said: [] };
    },
  },
  "pool deleted and made again": {
    ofStorageOrNetwork: true,
    run: async ({ server, pool, vm }) => {
      await call(server, "stop_storage_pool", { pool: pool.name });
      await call(server, "delete_storage_pool", { pool: pool.name });
      await call(server, "create_storage_pool", { name: pool.name, type: "dir", path: pool.path });
      return { of: vm, said: [] };
    },
  },
  "start": {
    run: async (world) => {
      await call(world.server, "start_vm", { vmId: world.vm.id });
      await call(world.server, "force_stop_vm", { vmId: world.vm.id });
      await isOff(world, world.vm.id);
      return { of: world.vm, said: [] };
    },
  },
} as const satisfies Record<string, Event>;

export type EventName = keyof typeof EVENTS;
export const eventOf = (name: EventName): Event => EVENTS[name];
