/** Gathers what a configuration is held against, and decides with it. */
import {
  ContractError,
  type ImagePolicy,
  type NewDisk,
  type OperatingSystem,
  type VmConfig,
} from "../../lib/contract/mod.ts";
import type { Facts, ImageFact, PoolFact } from "../../lib/create/facts.ts";
import { Findings } from "../../lib/create/findings.ts";
import { type Offer, offerOf } from "../../lib/create/offer.ts";
import { choosePlatform, type Platform } from "../../lib/create/platform.ts";
import { resolveVm } from "../../lib/create/resolve.ts";
import type { NewVm } from "../../lib/create/vm.ts";
import { BUILTIN, findSystem } from "../../lib/os/mod.ts";
import { hostBridges } from "../host/bridges.ts";
import type { HostCapabilities } from "../host/capabilities.ts";
import { isLocal } from "../host/local.ts";
import { closedFolder } from "../host/reach.ts";
import type { HostMake } from "../host/make.ts";
import type { OperatingSystems } from "../host/operating_systems.ts";
import type { VirtType } from "../settings.ts";
import { hasFormats, POOL_RUNNING, usualPool } from "../storage/volumes.ts";
import { findIso, imageFact } from "./create_images.ts";
import type { VmServices } from "./services.ts";

/** What creating machines needs beside what every command on machines has. */
export interface CreateServices {
  readonly vms: VmServices;
  readonly capabilities: HostCapabilities;
  readonly systems: OperatingSystems;
  readonly make: HostMake;
  /** The server's setting. */
  readonly virtType: VirtType;
  /** What an image may be. @throws {ContractError} while it cannot be read */
  readonly imagePolicy: () => Pick<ImagePolicy, "maxVirtualGb">;
  /** Starts and stops networks, with all that is looked at before. */
  readonly networks: Readonly<Record<"start" | "stop", (name: string) => Promise<unknown>>>;
}

/** Whether KVM may be chosen, and if not, why. It is not tried where the server's setting rules it out. */
export async function kvmTrouble({ capabilities, virtType }: CreateServices): Promise<string | null> {
  if (virtType === "qemu") return "the server was started with --virt-type qemu";
  return await capabilities.kvmTrouble();
}

/** The kind of machine a configuration means, and what it may have. @throws {ContractError} NotOnThisHost */
export async function platformFor(
  services: CreateServices,
  config: Pick<VmConfig, "arch" | "machine" | "virtType">,
  machine: string,
): Promise<{ platform: Platform; offer: Offer; emulated: boolean }> {
  const { capabilities, virtType } = services;
  const trouble = await kvmTrouble(services);
  const guests = await capabilities.guests();
  const platform = choosePlatform(config, guests, { virtType, kvmTrouble: trouble, machine });
  const offer = offerOf(await capabilities.domain(platform), await capabilities.libvirtVersion());
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
    const { name, state, available, capacity } = record;
    const active = state === POOL_RUNNING;
    const formats: PoolFact["formats"] = hasFormats(record) ? ["qcow2", "raw"] : ["raw"];
    return {
      name,
      active,
      formats,
      availableBytes: active ? available : null,
      capacityBytes: active ? capacity : null,
    };
  });
  return { pools, defaultPool: usualPool(records) };
}

/** Which of these files of the host are there. Where they cannot be seen, libvirt's word is waited for. */
async function present(uri: string, paths: readonly (string | undefined)[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const path of paths) {
    if (path === undefined) continue;
    try {
      if (!isLocal(uri) || (await Deno.stat(path)).isFile) found.add(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    }
  }
  return found;
}

async function images(
  { vms: { link, inventory }, imagePolicy }: CreateServices,
  disks: readonly NewDisk[],
): Promise<Map<string, ImageFact>> {
  const found = new Map<string, ImageFact>();
  const around = { vms: inventory.vms(), active: new Set(inventory.active()), policy: imagePolicy };
  for (const [index, disk] of disks.entries()) {
    const { path } = disk;
    if (path !== undefined) found.set(`disks.${index}`, await imageFact(link, { ...disk, path }, around));
  }
  return found;
}

/** What QEMU could not open, though it is there. */
async function closed(
  { vms: { link }, capabilities }: CreateServices,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const user = isLocal(link.uri) ? await capabilities.qemuUser() : undefined;
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

async function gather(services: CreateServices, config: VmConfig, findings: Findings): Promise<Facts> {
  const { vms: { link, inventory }, systems, make } = services;
  const known: readonly OperatingSystem[] = config.osVariant === undefined ? BUILTIN : await systems.list();
  const found = findSystem(known, config);
  const os = found ?? findSystem(BUILTIN, { osType: config.osType })!;
  const machines = inventory.vms();
  const [platform, storage, networks, bridges, iso, files, disks, host] = await Promise.all([
    platformOrUsual(services, config, os.defaults.machine, findings),
    poolFacts(services),
    link.call("networkScan"),
    hostBridges(link.uri),
    config.isoPath === undefined ? undefined : findIso(link, config.isoPath),
    present(link.uri, [config.kernel?.path, config.kernel?.initrd]),
    images(services, config.disks ?? []),
    make.get(),
  ]);
  return {
    ...platform,
    ...storage,
    os,
    osKnown: found !== undefined,
    host: { cpus: host.threads, memoryMb: Math.floor(host.memoryKib / 1024) },
    vmNames: new Set(machines.map(({ name }) => name)),
    macs: new Map(
      machines.flatMap(({ name, networkInterfaces }) =>
        networkInterfaces.map(({ mac }): [string, string] => [mac.toLowerCase(), name])
      ),
    ),
    networks,
    bridges,
    images: disks,
    iso,
    closed: await closed(services, [
      ...iso === undefined ? [] : [iso.path],
      ...disks.values().flatMap((fact) => "source" in fact ? [fact.source.path] : []),
    ]),
    files,
    uuid: crypto.randomUUID(),
    now: Date.now(),
    randomByte: () => crypto.getRandomValues(new Uint8Array(1))[0]!,
  };
}

/** Decides a configuration on this host. The machine is to be used only when the findings have no errors. */
export async function decide(
  services: CreateServices,
  config: VmConfig,
): Promise<{ vm: NewVm; findings: Findings }> {
  services.vms.requireFilled();
  const findings = new Findings();
  const facts = await gather(services, config, findings);
  return { vm: resolveVm(config, facts, findings), findings };
}
