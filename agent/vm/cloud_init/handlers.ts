/**
 * The commands on a VM's cloud-init. The seed's CD is the one place where it is kept (why: lib/vm/cloud_init/seed.ts).
 * A change makes a new CD and puts it in the place of the old one, so that whatever fails, one of them is whole.
 */
import type { DeviceChange } from "../../../ffi/calls/device.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import {
  type CloudInit,
  cloudInitCommands,
  type CloudInitFiles,
  type CloudInitState,
  type CommandName,
  ContractError,
  KEPT_SECRET,
  type SetCloudInitResult,
  type VM,
} from "../../../lib/contract/mod.ts";
import {
  type Drives,
  drivesOf,
  freeDrivePlace,
  freeDriveTarget,
  NO_PLACE,
  scsiController,
  seedDisk,
  type SeedDrive,
} from "../../../lib/formats/xml/seed_drive.ts";
import { renderXml, type XmlNode } from "../../../lib/formats/xml/build.ts";
import type { Handlers } from "../../dispatch.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import type { Seed } from "../../../lib/vm/cloud_init/seed.ts";
import { hasMemorySaved } from "../saved_memory.ts";
import { dropSeed, makeSeed, seedAt, seedWarnings } from "./seed.ts";
import { seedDocuments } from "./seed_work.ts";
import { Rollback } from "../../rollback.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireReachable } from "../../storage/reachable.ts";
import type { AccountSshKeys } from "../../access/ssh_keys.ts";

type CloudInitHandlers = Pick<Handlers, Extract<CommandName, keyof typeof cloudInitCommands>>;
type Where = Pick<DeviceChange, "live" | "config">;

const LIVE: Where = { live: true, config: false };
const CONFIG: Where = { live: false, config: true };

/** Text in place of an instance-id that is not made yet. */
const NO_ID_YET = "(made again)";

const macsOf = (vm: VM) => vm.networkInterfaces.map(({ mac }) => mac);
const isOn = ({ inventory }: LibvirtHost, vm: VM) => inventory.active().includes(vm.id);

async function drives({ link }: LibvirtHost, vm: VM, inactive: boolean): Promise<Drives> {
  return drivesOf(await link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
}

/** Whether anything in it stands for a secret that is kept: only then is the seed before needed. */
const keepsSecrets = (cloudInit: CloudInit) => JSON.stringify(cloudInit).includes(KEPT_SECRET);

/** The seed whose secrets are kept. */
async function before(host: LibvirtHost, cloudInit: CloudInit, drive: SeedDrive | undefined) {
  return drive?.path !== undefined && keepsSecrets(cloudInit)
    ? await seedAt(host.link, drive.path)
    : undefined;
}

/** The seed of a VM and the drive it is in. One that is replaced while it is read is read again. */
async function current(
  host: LibvirtHost,
  vm: VM,
): Promise<{ seed: Seed; path: string; target: string } | undefined> {
  for (let tried: string | undefined;;) {
    const { seed: drive } = await drives(host, vm, vm.persistent);
    if (drive?.path === undefined) return undefined;
    try {
      return { seed: await seedAt(host.link, drive.path), path: drive.path, target: drive.target };
    } catch (error) {
      if (drive.path === tried) throw error;
      tried = drive.path;
    }
  }
}

async function get(host: LibvirtHost, vmId: string): Promise<CloudInitState> {
  const found = await current(host, host.requireVm(vmId));
  if (found === undefined) return { cloudInit: null, warnings: [] };
  const { seed, path, target } = found;
  const { cloudInit, files, ...told } = await seedDocuments.shown(seed);
  return {
    cloudInit,
    files,
    warnings: seedWarnings(told),
    path,
    target,
    ...(seed.instanceId !== undefined && { instanceId: seed.instanceId }),
    ...(seed.changedAt !== undefined && { changedAt: seed.changedAt }),
  };
}

async function preview(
  host: LibvirtHost,
  { vmId, vmName, cloudInit }: { vmId?: string; vmName?: string; cloudInit: CloudInit },
): Promise<CloudInitFiles> {
  const vm = vmId === undefined ? undefined : host.requireVm(vmId);
  const drive = vm && keepsSecrets(cloudInit) ? (await drives(host, vm, vm.persistent)).seed : undefined;
  const complete = await seedDocuments.make(cloudInit, await before(host, cloudInit, drive), {
    vmName: vmName ?? vm?.name ?? "vm",
    instanceId: NO_ID_YET,
    macs: vm ? macsOf(vm) : [],
  });
  return (await seedDocuments.shown(complete)).files;
}

/** A medium goes with the VM's saved memory: taken away, that could not be continued. @throws {ContractError} CloudInitFailed */
async function refuseSuspended(host: LibvirtHost, vm: VM, drive: SeedDrive | undefined): Promise<void> {
  if (drive?.path === undefined || !await hasMemorySaved(host, vm)) return;
  throw new ContractError("CloudInitFailed", {
    error: "the VM is suspended with this CD in its drive. Start it, or discard its saved memory, first.",
  });
}

/** One change of a VM's devices. */
async function change(
  host: LibvirtHost,
  vm: VM,
  call: "domainAttachDevice" | "domainDetachDevice" | "domainUpdateDevice",
  device: XmlNode,
  where: Where,
): Promise<void> {
  const xml = renderXml(device);
  if (call !== "domainDetachDevice") await requireReachable(host, xml);
  await host.link.call(call, { uuid: vm.id, xml, ...where });
}

/**
 * Puts another medium, or none, into the drive. A guest may have locked it: the CD can only be read, so nothing is
 * lost when it is taken out all the same.
 */
export async function exchange(host: LibvirtHost, vm: VM, drive: SeedDrive, where: Where): Promise<void> {
  const { link } = host;
  const xml = renderXml(seedDisk(drive));
  await requireReachable(host, xml);
  try {
    await link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where });
  } catch (error) {
    if (!where.live || !(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    log.info("the guest holds its CD, which is taken out all the same", { vm: vm.name, error });
    await link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where, force: true });
  }
}

/** Gives the configuration a drive with this seed. */
async function insertConfig(host: LibvirtHost, vm: VM, found: Drives, path: string, rollback: Rollback) {
  const { seed: old } = found;
  if (old) {
    await exchange(host, vm, { ...old, path }, CONFIG);
    rollback.add(`the seed of ${vm.name}`, () => exchange(host, vm, old, CONFIG));
    return;
  }
  const place = freeDrivePlace(found, vm.osType === "windows");
  if (place === undefined) {
    throw new ContractError("CloudInitFailed", { error: NO_PLACE });
  }
  if (place.bus === "scsi" && found.scsi === "none") {
    await change(host, vm, "domainAttachDevice", scsiController(), CONFIG);
    rollback.add(
      `the SCSI controller of ${vm.name}`,
      () => change(host, vm, "domainDetachDevice", scsiController(), CONFIG),
    );
  }
  const disk = seedDisk({ ...place, path, alias: found.freeAlias });
  await change(host, vm, "domainAttachDevice", disk, CONFIG);
  rollback.add(`the drive of ${vm.name}`, () => change(host, vm, "domainDetachDevice", disk, CONFIG));
}

/** Gives the running VM the seed, where that can be done. @returns whether it has it */
async function insertLive(host: LibvirtHost, vm: VM, found: Drives, path: string, rollback: Rollback) {
  const { seed: old, scsi, targets, freeAlias } = found;
  if (old) {
    await exchange(host, vm, { ...old, path }, LIVE);
    rollback.add(`the seed in the running ${vm.name}`, () => exchange(host, vm, old, LIVE));
    return true;
  }
  const target = freeDriveTarget("scsi", targets);
  if (scsi !== "virtio" || target === undefined) return false; // no other drive can be plugged into a running VM
  const disk = seedDisk({ target, bus: "scsi", path, alias: freeAlias });
  await change(host, vm, "domainAttachDevice", disk, LIVE);
  rollback.add(
    `the drive in the running ${vm.name}`,
    () => change(host, vm, "domainDetachDevice", disk, LIVE),
  );
  return true;
}

async function set(
  host: LibvirtHost,
  vm: VM,
  cloudInit: CloudInit,
  operation: Operation,
): Promise<SetCloudInitResult> {
  const { link } = host;
  const config = await drives(host, vm, true);
  const live = isOn(host, vm) ? await drives(host, vm, false) : undefined;
  const old = config.seed;
  await refuseSuspended(host, vm, old);
  const kept = await before(host, cloudInit, old);
  const seed = await makeSeed(link, {
    vmName: vm.name,
    cloudInit,
    macs: macsOf(vm),
    ...(kept && { before: kept }),
  }, operation);
  const replaced = new Set([old?.path, live?.seed?.path].filter((path) => path !== undefined));
  await noteGoing(host, "volume-replaced", replaced, operation);
  const rollback = new Rollback();
  let applies: SetCloudInitResult["applies"] = "now";
  try {
    await insertConfig(host, vm, config, seed.path, rollback);
    if (live && !await insertLive(host, vm, live, seed.path, rollback)) applies = "next start";
  } catch (error) {
    await rollback.run();
    throw contractError(error, "CloudInitFailed", "set_cloud_init");
  }
  for (const path of replaced) await drop(host, vm, path);
  return { path: seed.path, instanceId: seed.instanceId, applies, warnings: seed.warnings };
}

/** Writes down which seeds go once no VM has them. */
async function noteGoing(
  { link }: LibvirtHost,
  kind: "disk-doomed" | "volume-replaced",
  paths: ReadonlySet<string>,
  operation: Operation,
): Promise<void> {
  for (const path of paths) {
    operation.add({ kind, path, file: await fileOf(link, path) });
  }
}

/** Deletes a seed that this VM does not need any more, unless another one does. */
async function drop({ link, inventory }: LibvirtHost, vm: VM, path: string): Promise<void> {
  const needed = inventory.vms().some(({ id, disks }) =>
    id !== vm.id && disks.some(({ source }) => source === path)
  );
  if (!needed) await dropSeed(link, path);
}

async function remove(host: LibvirtHost, vm: VM, operation: Operation): Promise<void> {
  const config = vm.persistent ? (await drives(host, vm, true)).seed : undefined;
  const live = isOn(host, vm) ? (await drives(host, vm, false)).seed : undefined;
  if (config === undefined && live?.path === undefined) throw new ContractError("CloudInitNotSet");
  await refuseSuspended(host, vm, config);
  const paths = new Set([config?.path, live?.path].filter((path) => path !== undefined));
  await noteGoing(host, "disk-doomed", paths, operation);
  try {
    if (live?.bus === "scsi") await change(host, vm, "domainDetachDevice", seedDisk(live), LIVE);
    // A drive of the VM's own stays until it stops: nothing but its medium can go.
    else if (live?.path !== undefined) await exchange(host, vm, { ...live, path: undefined }, LIVE);
    if (config) await change(host, vm, "domainDetachDevice", seedDisk(config), CONFIG);
  } catch (error) {
    throw contractError(error, "CloudInitFailed", "remove_cloud_init");
  }
  for (const path of paths) await drop(host, vm, path);
}

/** Specification of the operation that changes a VM's seed. */
const specOf = (command: "set_cloud_init" | "remove_cloud_init", { id, name }: VM, actor: string) => ({
  command,
  subject: name,
  vmId: id,
  actor,
  keys: [keyOf.vm(id)],
});

/** A handler for each command on cloud-init. */
export function cloudInitHandlers(
  host: LibvirtHost,
  sshKeys: Pick<AccountSshKeys, "remember">,
): CloudInitHandlers {
  return {
    get_cloud_init: ({ vmId }) => get(host, vmId),
    preview_cloud_init: (input) => preview(host, input),
    set_cloud_init: async ({ vmId, cloudInit }, { principal }) => {
      const vm = host.requireVm(vmId);
      if (!vm.persistent) throw new ContractError("VmNotPersistent");
      const done: SetCloudInitResult[] = [];
      await host.claims.operate(vm, "updating", async () => {
        const spec = specOf("set_cloud_init", vm, principal.name);
        done.push(
          await host.operations.run(spec, (operation) => set(host, vm, cloudInit, operation)),
        );
      });
      sshKeys.remember(principal, cloudInit);
      return done[0]!;
    },
    remove_cloud_init: async ({ vmId }, { principal }) => {
      const vm = host.requireVm(vmId);
      const spec = specOf("remove_cloud_init", vm, principal.name);
      const run = (operation: Operation) => remove(host, vm, operation);
      await host.claims.operate(vm, "updating", () => host.operations.run(spec, run));
      return null;
    },
  };
}
