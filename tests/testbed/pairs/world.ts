/** One VM with everything that can be kept for it: where what an event does to the rest is looked at. */
import type { BackupRun } from "../../../lib/contract/mod.ts";
import { backupFolder, runOf } from "../backups.ts";
import { type ClaimedVm, claimedVm } from "../claimed_vm.ts";
import { testFolder } from "../folder.ts";
import { virsh } from "../libvirt.ts";
import { type TestNetwork, testNetwork } from "../network.ts";
import { type TestPool, testPool } from "../pool.ts";
import { call, shows } from "../product.ts";
import type { TestServer } from "../server.ts";

/** How the VM boots: one with UEFI has no snapshots within its disks. */
export type Boot = "bios" | "uefi";

/** The VM that is looked at after an event: itself, or what was made of it. */
export interface Subject {
  readonly id: string;
  readonly name: string;
}

/** A VM, what it uses, and how it was before anything was kept for it. */
export interface World extends AsyncDisposable {
  readonly server: TestServer;
  readonly boot: Boot;
  readonly vm: Subject;
  readonly pool: TestPool;
  readonly network: TestNetwork;
  /** A folder for backups. */
  readonly folder: string;
  /** A folder to share with the VM. */
  readonly share: string;
  /** Last number of an address in the network that is its own, 20–219. */
  readonly place: number;
  /** MAC address of the VM's card on the network. */
  readonly mac: string;
  /** Its definition and a backup, from before anything was kept for it. */
  readonly before: { readonly xml: string; readonly backupId: string; readonly run: BackupRun };
  /** Names for VMs that are made of it. */
  readonly second: ClaimedVm;
  readonly third: ClaimedVm;
  /** Unique, for the names of users, tags, groups. */
  readonly mark: string;
  /** Ids of what was put, by noun. */
  readonly ids: Map<string, string>;
}

let worlds = 0;

/** Makes the VM. @param shared what it has with other worlds; a network and a pool of its own when left out */
export async function pairsWorld(
  server: TestServer,
  boot: Boot,
  shared?: { readonly network: TestNetwork; readonly pool: TestPool },
): Promise<World> {
  await using made = new AsyncDisposableStack();
  const folder = made.use(await backupFolder()).path;
  const share = made.use(await testFolder()).path;
  const pool = shared?.pool ?? made.use(await testPool("pairs"));
  const network = shared?.network ?? made.use(await testNetwork("pairs"));
  const [first, second, third] = [
    made.use(await claimedVm("pairs-a")),
    made.use(await claimedVm("pairs-b")),
    made.use(await claimedVm("pairs-c")),
  ];
  const { id: vmId } = await call(server, "create_vm", {
    name: first.name,
    memoryMb: 128,
    virtType: "qemu",
    firmware: boot,
    ...(boot === "uefi" && { tpm: true }),
    nics: [{ network: network.name }],
    disks: [{ sizeGb: 1, pool: pool.name }],
  });
  const mac = (await call(server, "get_vm", { vmId })).networkInterfaces[0]!.mac;
  const mark = crypto.randomUUID().slice(0, 8);
  const { id: backupId } = await call(server, "create_backup", {
    name: `before-${mark}`,
    folder,
    targets: { vmIds: [vmId] },
    frequency: "by-hand",
  });
  const run = await runOf(server, backupId);
  const xml = await virsh("dumpxml", first.name, "--inactive", "--security-info");
  // Before the VM's name and files go: what is in the bin has files in libvirt's own folders, too.
  made.defer(() => emptyBinOf(server, vmId));
  const cleanup = made.move();
  return {
    server,
    boot,
    pool,
    network,
    folder,
    share,
    mac,
    second,
    third,
    mark,
    place: 20 + worlds++ % 200,
    vm: { id: vmId, name: first.name },
    before: { xml, backupId, run },
    ids: new Map(),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

async function emptyBinOf(server: TestServer, vmId: string): Promise<void> {
  for (const { id, uuid } of await call(server, "list_bin")) {
    if (uuid === vmId) await call(server, "delete_bin_entry", { entryId: id });
  }
}

/** Starts the VM, does something with it, and switches it off. */
export async function whileItRuns({ server, vm }: World, act: () => Promise<unknown>) {
  const vmId = vm.id;
  await call(server, "start_vm", { vmId });
  await shows(server, vmId, ({ state }) => state === "running");
  await act();
  await call(server, "force_stop_vm", { vmId }).catch(async (cause) => {
    const log = await call(server, "get_vm_log", { vmId }).catch(String);
    throw new Error(`${await virsh("domstate", "--reason", vm.name)}\n${JSON.stringify(log).slice(-2000)}`, {
      cause,
    });
  });
  await shows(server, vmId, ({ state }) => state === "stopped");
}
