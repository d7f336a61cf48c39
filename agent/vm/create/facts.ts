/** Gathers what a configuration is held against, and decides with it. */
import type { LocalMachine } from "../../machine/machine.ts";
import { spaceOf } from "../../../lib/storage/pool_space.ts";
import {
  ContractError,
  type ErrorCode,
  type ImagePolicy,
  type NewDisk,
  type OperatingSystem,
  type Role,
  type VmConfig,
  type WarningCode,
} from "../../../lib/contract/mod.ts";
import type { CoveredVm } from "../../../lib/coverage/coverage.ts";
import type { Facts, ImageFact, PoolFact } from "../../../lib/vm/create/facts.ts";
import { Findings } from "../../../lib/vm/create/findings.ts";
import { type SupportedHardware, supportedHardwareOf } from "../../../lib/vm/create/supported_hardware.ts";
import { choosePlatform, type Platform } from "../../../lib/vm/create/platform.ts";
import { resolveVm } from "../../../lib/vm/create/resolve.ts";
import type { NewVm } from "../../../lib/formats/xml/new_vm.ts";
import { BUILTIN_SYSTEMS, findSystem } from "../../../lib/vm/os/mod.ts";
import type { HostCapabilities } from "../../hosts/capabilities.ts";
import { lookAt } from "../../machine/files.ts";
import { closedFolder } from "../../hosts/inaccessible_directory.ts";
import type { DiskSizes } from "../../hosts/inventory/disk_sizes.ts";
import type { Inventory } from "../../hosts/inventory/inventory.ts";
import type { NodeInfo } from "../../hosts/node_info.ts";
import type { OperatingSystems } from "../../hosts/operating_systems.ts";
import type { VirtType } from "../../settings.ts";
import { readOnlyFolder } from "../../storage/volume_checks.ts";
import { hasFormats, POOL_RUNNING, usualPool } from "../../storage/volumes.ts";
import { type ImageContext, imageFact, isoFact } from "./images.ts";
import { leftByName } from "../lifecycle/named_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { withSaved } from "../../storage/saved_devices.ts";
import type { Settings } from "../../settings.ts";
import type { ImageRecords } from "../../storage/images/records.ts";

/** Facts that the inventory has in memory. */
type InventoryFacts = Pick<Facts, "pools" | "defaultPool" | "vmNames" | "macs" | "networks">;

/** Dependencies of creating VMs on one host. */
export interface CreateServices {
  readonly vms: LibvirtHost;
  readonly capabilities: HostCapabilities;
  readonly systems: OperatingSystems;
  readonly make: NodeInfo;
  readonly sizes: DiskSizes;
  /** The server's setting. */
  readonly virtType: VirtType;
  /** The server's setting: more than the host has is a warning. */
  readonly allowOvercommit: boolean;
  /** Names of the rules of placement that a VM would go against on a host. @throws {ContractError} StoreUnavailable */
  readonly rulesAgainst: (vm: CoveredVm & { readonly name: string }, hostId: string) => readonly string[];
  /** Limits on images. @throws {ContractError} while they cannot be read */
  readonly imagePolicy: () => Pick<ImagePolicy, "maxVirtualGb">;
}

/** The dependencies that all hosts share. */
export interface CreateSources {
  readonly systems: OperatingSystems;
  readonly images: Pick<ImageRecords, "policy">;
  readonly settings: Pick<Settings, "virtType" | "overcommit">;
  readonly rulesAgainst: { get(): CreateServices["rulesAgainst"] };
}

/** Dependencies of creating VMs on a host. */
export function createServices(
  host: LibvirtHost,
  { systems, images, settings, rulesAgainst }: CreateSources,
): CreateServices {
  const { capabilities, make, sizes } = host;
  return {
    vms: host,
    capabilities,
    systems,
    make,
    sizes,
    virtType: settings.virtType,
    allowOvercommit: settings.overcommit === "allow",
    rulesAgainst: (vm, hostId) => rulesAgainst.get()(vm, hostId),
    imagePolicy: () => images.policy(),
  };
}

/** Whether KVM may be chosen, and if not, why. It is not tried where the server's setting rules it out. */
export async function kvmTroubleFor({ capabilities, virtType }: CreateServices): Promise<string | null> {
  if (virtType === "qemu") return "the server was started with --virt-type qemu";
  return await capabilities.kvmTrouble();
}

/** The kind of VM a configuration means, and what it may have. @throws {ContractError} NotOnThisHost */
export async function platformFor(
  services: CreateServices,
  config: Pick<VmConfig, "arch" | "machine" | "virtType">,
  machine: string,
): Promise<{ platform: Platform; offer: SupportedHardware; emulated: boolean }> {
  const { capabilities, virtType } = services;
  const trouble = await kvmTroubleFor(services);
  const guests = await capabilities.guests();
  const platform = choosePlatform(config, guests, { virtType, kvmTrouble: trouble, machine });
  const offer = supportedHardwareOf(await capabilities.domain(platform), await capabilities.libvirtVersion());
  const emulated = (config.virtType ?? virtType) === "auto" && platform.virtType === "qemu";
  return { platform, offer, emulated };
}

/** Every pool, with the formats its volumes have, from memory. @throws {LibvirtError} while they were never read */
export async function poolFacts({ vms: { inventory: { storage } } }: CreateServices): Promise<
  { pools: (PoolFact & { readonly capacityBytes: number | null })[]; defaultPool: string | undefined }
> {
  if (!storage.isKnown) await storage.refresh();
  const records = storage.records();
  const pools = records.map((record) => {
    const { name, state } = record;
    const active = state === POOL_RUNNING, space = active ? spaceOf(record) : undefined;
    const formats: PoolFact["formats"] = hasFormats(record) ? ["qcow2", "raw"] : ["raw"];
    return {
      name,
      active,
      formats,
      availableBytes: space?.available ?? null,
      capacityBytes: space?.capacity ?? null,
    };
  });
  return { pools, defaultPool: usualPool(records) };
}

/**
 * The files among these that exist. Where the host's files cannot be seen, all count: libvirt decides later. A text
 * that cannot be a path goes to the findings.
 */
async function present(
  machine: LocalMachine | null,
  paths: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const [field, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    try {
      if (machine === null || (await lookAt(path, machine.files.statFile))?.isFile) found.add(path);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      findings.refuse(field, error);
      found.add(path); // it is said already
    }
  }
  return found;
}

async function images(context: ImageContext, disks: readonly NewDisk[]): Promise<Map<string, ImageFact>> {
  const found = new Map<string, ImageFact>();
  for (const [index, disk] of disks.entries()) {
    const { path } = disk;
    if (path !== undefined) found.set(`disks.${index}`, await imageFact(context, { ...disk, path }));
  }
  return found;
}

/** Pools that images would be made in and in which nothing can be written, with their folders. */
async function readOnly(
  { vms }: CreateServices,
  { disks = [{}] }: VmConfig,
  defaultPool: string | undefined,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { path, copyAs, pool = defaultPool } of disks) {
    if (pool === undefined || (path !== undefined && copyAs === undefined)) continue;
    const folder = await readOnlyFolder(vms, pool);
    if (folder !== undefined) found.set(pool, folder);
  }
  return found;
}

/** Files that QEMU's user could not open → the folder that keeps it out. */
async function closed(
  { vms: { link }, capabilities }: CreateServices,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const user = link.machine !== null ? await capabilities.qemuUser() : undefined;
  if (user === undefined) return found;
  for (const path of paths) {
    const folder = await closedFolder(path, user);
    if (folder !== undefined) found.set(path, folder);
  }
  return found;
}

/** The platform; what is wrong with it goes to the findings, and the host's usual one is taken to go on with. */
async function platformOrUsual(
  services: CreateServices,
  config: VmConfig,
  machine: string,
  findings: Findings,
) {
  try {
    return await platformFor(services, config, machine);
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "NotOnThisHost") throw error;
    findings.refuse(String(error.details?.field ?? ""), error);
    return await platformFor(services, {}, machine);
  }
}

/** Facts from the inventory; only saved memory takes a call. @throws {LibvirtError} while the pools were never read */
async function inventoryFacts(services: CreateServices): Promise<InventoryFacts> {
  const { inventory } = services.vms;
  const vms = inventory.vms();
  return {
    ...await poolFacts(services),
    vmNames: new Set(vms.map(({ name }) => name)),
    macs: new Map(
      (await withSaved(services.vms, vms)).flatMap(({ name, networkInterfaces }) =>
        networkInterfaces.map(({ mac }): [string, string] => [mac.toLowerCase(), name])
      ),
    ),
    networks: inventory.networks.records(),
  };
}

/** Data that is read again before a refusal: it may have changed a moment ago, or without an event. */
const REREAD: Partial<Record<ErrorCode | WarningCode, (inventory: Inventory) => Promise<void>>> = {
  DiskExceedsPool: (inventory) => inventory.storage.refresh(),
  StoragePoolNotFound: (inventory) => inventory.storage.refresh(),
  StoragePoolNotActive: (inventory) => inventory.storage.refresh(),
  NetworkNotFound: (inventory) => inventory.networks.reread(),
};

async function gather(
  services: CreateServices,
  config: VmConfig,
  asker: Asker,
  findings: Findings,
): Promise<Facts> {
  const context: ImageContext = {
    host: services.vms,
    role: asker.role,
    held: asker.held,
    vmName: config.name,
    policy: services.imagePolicy,
  };
  const { vms: { link }, systems, make } = services;
  const known: readonly OperatingSystem[] = config.osVariant === undefined
    ? BUILTIN_SYSTEMS
    : await systems.list();
  const found = findSystem(known, config);
  const os = found ?? findSystem(BUILTIN_SYSTEMS, { osType: config.osType })!;
  const [platform, bridges, iso, files, disks, host, memoryMb] = await Promise.all([
    platformOrUsual(services, config, os.defaults.machine, findings),
    link.machine?.bridges(),
    config.isoPath === undefined ? undefined : isoFact(context, config.isoPath, config.anyMedium ?? false),
    present(
      link.machine,
      { "kernel.path": config.kernel?.path, "kernel.initrd": config.kernel?.initrd },
      findings,
    ),
    images(context, config.disks ?? []),
    make.get(),
    make.memoryMb(),
  ]);
  const inventory = await inventoryFacts(services);
  return {
    ...platform,
    ...inventory,
    readOnly: await readOnly(services, config, inventory.defaultPool),
    os,
    osKnown: found !== undefined,
    allowOvercommit: services.allowOvercommit,
    host: { cpus: host.threads, memoryMb },
    bridges,
    images: disks,
    iso,
    closed: await closed(services, [
      ...iso === undefined || "error" in iso ? [] : [iso.path],
      ...disks.values().flatMap((fact) => "source" in fact ? [fact.source.path] : []),
    ]),
    files,
    uuid: crypto.randomUUID(),
    now: Date.now(),
    randomByte: () => crypto.getRandomValues(new Uint8Array(1))[0]!,
  };
}

/** The principal who creates a VM. */
export interface Asker {
  readonly role: Role;
  /** Holds the images it is given until it is made; nothing is held for a preview. */
  readonly held: DisposableStack | undefined;
}

/** Decides a configuration on this host. The VM is to be used only when the findings have no errors. */
export async function decide(
  services: CreateServices,
  config: VmConfig,
  asker: Asker,
): Promise<{ vm: NewVm; findings: Findings }> {
  const { inventory } = services.vms.requireFilled();
  const found = new Findings();
  const facts = await gather(services, config, asker, found);
  const left = await leftByName(services.vms, config.name);
  const { name, tags = [], group } = config;
  const rules = services.rulesAgainst({ id: "", name, tags, group: group || undefined }, services.vms.id);
  const decided = (known: Facts) => {
    const findings = found.copy();
    const vm = resolveVm(config, known, findings);
    if (left.memory !== undefined) findings.refuse("name", left.memory);
    if (rules.length > 0) findings.warn("name", "AgainstPlacement", { rules: rules.join(", ") });
    if (left.nvram !== undefined && vm.firmware !== "bios") findings.refuse("name", left.nvram);
    return { vm, findings };
  };
  const decision = decided(facts);
  const codes = new Set([...decision.findings.errors, ...decision.findings.warnings].map(({ code }) => code));
  const rereads = [...codes].flatMap((code) => REREAD[code as ErrorCode] ?? []);
  if (rereads.length === 0) return decision;
  for (const reread of rereads) await reread(inventory);
  return decided({ ...facts, ...await inventoryFacts(services) });
}
