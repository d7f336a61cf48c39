/**
 * The commands on a machine's cloud-init. The seed's CD is the one place where it is kept (why: lib/cloud_init/seed.ts).
 * A change makes a new CD and puts it in the place of the old one, so that whatever fails, one of them is whole.
 */
import type { DeviceChange } from "../../ffi/calls/device.ts";
import { LibvirtError } from "../../ffi/error.ts";
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
} from "../../lib/contract/mod.ts";
import {
  type Drives,
  drivesOf,
  freeTarget,
  placeFor,
  scsiController,
  seedDisk,
  type SeedDrive,
} from "../../lib/cloud_init/drive.ts";
import type { Seed } from "../../lib/cloud_init/seed.ts";
import { withoutSecrets } from "../../lib/cloud_init/yaml.ts";
import { renderXml, type XmlNode } from "../../lib/xml/build.ts";
import type { Handlers } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { completed, documents, dropSeed, makeSeed, seedAt } from "./seed.ts";
import type { VmServices } from "./services.ts";

type CloudInitHandlers = Pick<Handlers, Extract<CommandName, keyof typeof cloudInitCommands>>;
type Where = Pick<DeviceChange, "live" | "config">;

const LIVE: Where = { live: true, config: false };
const CONFIG: Where = { live: false, config: true };

/** What is said in place of an instance-id that is not made yet. */
const NO_ID_YET = "(made anew)";

const macsOf = (vm: VM) => vm.networkInterfaces.map(({ mac }) => mac);
const isOn = ({ inventory }: VmServices, vm: VM) => inventory.active().includes(vm.id);

async function drives({ link }: VmServices, vm: VM, inactive: boolean): Promise<Drives> {
  return drivesOf(await link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
}

/** Whether anything in it stands for a secret that is kept: only then is the seed before needed. */
const keepsSecrets = (cloudInit: CloudInit) => JSON.stringify(cloudInit).includes(KEPT_SECRET);

/** The seed whose secrets are kept. */
async function before(services: VmServices, cloudInit: CloudInit, drive: SeedDrive | undefined) {
  return drive?.path !== undefined && keepsSecrets(cloudInit)
    ? await seedAt(services.link, drive.path)
    : undefined;
}

/** What may be shown: no hash, no password. */
function shown({ cloudInit, files }: Pick<Seed, "cloudInit" | "files">): {
  cloudInit: CloudInit;
  files: CloudInitFiles;
} {
  const { form, userData, networkConfig } = cloudInit;
  const users = form?.users?.map(({ passwordHash, ...user }) => ({
    ...user,
    ...(passwordHash !== undefined && { passwordHash: KEPT_SECRET }),
  }));
  return {
    cloudInit: {
      ...cloudInit,
      ...(form && { form: { ...form, ...(users && { users }) } }),
      ...(userData !== undefined && { userData: withoutSecrets(userData) }),
      ...(networkConfig !== undefined && { networkConfig: withoutSecrets(networkConfig) }),
    },
    files: {
      ...files,
      userData: withoutSecrets(files.userData),
      ...(files.networkConfig !== undefined && { networkConfig: withoutSecrets(files.networkConfig) }),
    },
  };
}

async function get(services: VmServices, vmId: string): Promise<CloudInitState> {
  const vm = services.requireVm(vmId);
  const { seed: drive } = await drives(services, vm, vm.persistent);
  if (drive?.path === undefined) return { cloudInit: null };
  const seed = await seedAt(services.link, drive.path);
  return {
    ...shown(seed),
    path: drive.path,
    target: drive.target,
    ...(seed.instanceId !== undefined && { instanceId: seed.instanceId }),
    ...(seed.changedAt !== undefined && { changedAt: seed.changedAt }),
  };
}

async function preview(
  services: VmServices,
  { vmId, vmName, cloudInit }: { vmId?: string; vmName?: string; cloudInit: CloudInit },
): Promise<CloudInitFiles> {
  const vm = vmId === undefined ? undefined : services.requireVm(vmId);
  const drive = vm && keepsSecrets(cloudInit) ? (await drives(services, vm, vm.persistent)).seed : undefined;
  const complete = completed(cloudInit, await before(services, cloudInit, drive));
  const files = documents(complete, {
    vmName: vmName ?? vm?.name ?? "vm",
    instanceId: NO_ID_YET,
    macs: vm ? macsOf(vm) : [],
  });
  return shown({ cloudInit: complete, files }).files;
}

/** A medium goes with the machine's saved memory: taken away, that could not be continued. */
function refuseSuspended(vm: VM, drive: SeedDrive | undefined): void {
  if (vm.state !== "suspended" || drive?.path === undefined) return;
  throw new ContractError("CloudInitFailed", {
    error: "the VM is suspended with this CD in its drive. Start it first.",
  });
}

/** One change of a machine's devices. */
async function change(
  { link }: VmServices,
  vm: VM,
  call: "domainAttachDevice" | "domainDetachDevice" | "domainUpdateDevice",
  device: XmlNode,
  where: Where,
): Promise<void> {
  await link.call(call, { uuid: vm.id, xml: renderXml(device), ...where });
}

/**
 * Puts another medium, or none, into the drive. A guest may have locked it: the CD can only be read, so nothing is
 * lost when it is taken out all the same.
 */
async function exchange(services: VmServices, vm: VM, drive: SeedDrive, where: Where): Promise<void> {
  const { link } = services;
  const xml = renderXml(seedDisk(drive));
  try {
    await link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where });
  } catch (error) {
    if (!where.live || !(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    log.info("the guest holds its CD, which is taken out all the same", { vm: vm.name, error });
    await link.call("domainUpdateDevice", { uuid: vm.id, xml, ...where, force: true });
  }
}

/** What is to be undone, last first. */
type Undo = (() => Promise<void>)[];

/** Gives the configuration a drive with this seed. */
async function insertConfig(services: VmServices, vm: VM, found: Drives, path: string, undo: Undo) {
  const { seed: old } = found;
  if (old) {
    await exchange(services, vm, { ...old, path }, CONFIG);
    undo.push(() => exchange(services, vm, old, CONFIG));
    return;
  }
  const place = placeFor(found, vm.osType === "windows");
  if (place === undefined) {
    throw new ContractError("CloudInitFailed", { error: "no place for another drive is free" });
  }
  if (place.bus === "scsi" && found.scsi === "none") {
    await change(services, vm, "domainAttachDevice", scsiController(), CONFIG);
    undo.push(() => change(services, vm, "domainDetachDevice", scsiController(), CONFIG));
  }
  const disk = seedDisk({ ...place, path, alias: found.freeAlias });
  await change(services, vm, "domainAttachDevice", disk, CONFIG);
  undo.push(() => change(services, vm, "domainDetachDevice", disk, CONFIG));
}

/** Gives a machine that was just defined a drive with this seed. @throws {ContractError} CloudInitFailed; {LibvirtError} */
export async function insertSeed(services: VmServices, vm: VM, path: string): Promise<void> {
  await insertConfig(services, vm, await drives(services, vm, true), path, []);
}

/** Gives the running machine the seed, where that can be done. @returns whether it has it */
async function insertLive(services: VmServices, vm: VM, found: Drives, path: string, undo: Undo) {
  const { seed: old, scsi, targets, freeAlias } = found;
  if (old) {
    await exchange(services, vm, { ...old, path }, LIVE);
    undo.push(() => exchange(services, vm, old, LIVE));
    return true;
  }
  const target = freeTarget("scsi", targets);
  if (scsi !== "virtio" || target === undefined) return false; // no other drive can be plugged into a running machine
  const disk = seedDisk({ target, bus: "scsi", path, alias: freeAlias });
  await change(services, vm, "domainAttachDevice", disk, LIVE);
  undo.push(() => change(services, vm, "domainDetachDevice", disk, LIVE));
  return true;
}

async function set(services: VmServices, vm: VM, cloudInit: CloudInit): Promise<SetCloudInitResult> {
  const { link } = services;
  const config = await drives(services, vm, true);
  const live = isOn(services, vm) ? await drives(services, vm, false) : undefined;
  const old = config.seed;
  refuseSuspended(vm, old);
  const kept = await before(services, cloudInit, old);
  const seed = await makeSeed(link, {
    vmName: vm.name,
    cloudInit,
    macs: macsOf(vm),
    ...(kept && { before: kept }),
  });
  const undo: Undo = [() => seed.undo()];
  let applies: SetCloudInitResult["applies"] = "now";
  try {
    await insertConfig(services, vm, config, seed.path, undo);
    if (live && !await insertLive(services, vm, live, seed.path, undo)) applies = "next start";
  } catch (error) {
    await undone(undo, vm);
    throw contractError(error, "CloudInitFailed", "set_cloud_init");
  }
  const replaced = new Set([old?.path, live?.seed?.path].filter((path) => path !== undefined));
  for (const path of replaced) await drop(services, vm, path);
  return { path: seed.path, instanceId: seed.instanceId, applies };
}

async function undone(undo: Undo, vm: VM): Promise<void> {
  for (const step of undo.toReversed()) {
    await step().catch((error) =>
      log.error("a change of cloud-init could not be undone", { vm: vm.name, error })
    );
  }
}

/** Deletes a seed that this machine does not need any more, unless another one does. */
async function drop({ link, inventory }: VmServices, vm: VM, path: string): Promise<void> {
  const needed = inventory.vms().some(({ id, disks }) =>
    id !== vm.id && disks.some(({ source }) => source === path)
  );
  if (!needed) await dropSeed(link, path);
}

async function remove(services: VmServices, vm: VM): Promise<void> {
  const config = vm.persistent ? (await drives(services, vm, true)).seed : undefined;
  const live = isOn(services, vm) ? (await drives(services, vm, false)).seed : undefined;
  if (config === undefined && live?.path === undefined) throw new ContractError("CloudInitNotSet");
  refuseSuspended(vm, config);
  try {
    if (live?.bus === "scsi") await change(services, vm, "domainDetachDevice", seedDisk(live), LIVE);
    // A drive of the machine's own stays until it stops: nothing but its medium can go.
    else if (live?.path !== undefined) await exchange(services, vm, { ...live, path: undefined }, LIVE);
    if (config) await change(services, vm, "domainDetachDevice", seedDisk(config), CONFIG);
  } catch (error) {
    throw contractError(error, "CloudInitFailed", "remove_cloud_init");
  }
  const paths = new Set([config?.path, live?.path].filter((path) => path !== undefined));
  for (const path of paths) await drop(services, vm, path);
}

/** A handler for each command on cloud-init. */
export function cloudInitHandlers(services: VmServices): CloudInitHandlers {
  return {
    get_cloud_init: ({ vmId }) => get(services, vmId),
    preview_cloud_init: (input) => preview(services, input),
    set_cloud_init: async ({ vmId, cloudInit }) => {
      const vm = services.requireVm(vmId);
      if (!vm.persistent) throw new ContractError("VmNotPersistent");
      const done: SetCloudInitResult[] = [];
      await services.operate(vm, "updating", async () => {
        done.push(await set(services, vm, cloudInit));
      });
      return done[0]!;
    },
    remove_cloud_init: async ({ vmId }) => {
      const vm = services.requireVm(vmId);
      await services.operate(vm, "updating", () => remove(services, vm));
      return null;
    },
  };
}
