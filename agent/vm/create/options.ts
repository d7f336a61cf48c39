/** The choices for a new VM on this host, as one answer. */
import type { CreateOptions, Input } from "../../../lib/contract/mod.ts";
import { usualNetwork } from "../../../lib/vm/create/nics.ts";
import type { MachineType } from "../../../lib/formats/xml/capabilities.ts";
import { child, parseXml } from "../../../lib/formats/xml/tree.ts";
import { type CreateServices, kvmTroubleFor, platformFor, poolFacts } from "./facts.ts";
import { log } from "../../log.ts";
import { imageKind, ImageRoles } from "../../storage/images/roles.ts";

/** CDs in the pools. One that cannot be read (a dead server) is left out. */
async function isos(
  { vms }: CreateServices,
  pools: readonly string[],
): Promise<CreateOptions["isos"]> {
  const found = await Promise.all(pools.map(async (pool) => {
    try {
      return await vms.inventory.storage.volumes(pool);
    } catch (error) {
      log.warn("the volumes of a pool cannot be read", { pool, error });
      return [];
    }
  }));
  const volumes = found.flat(), roles = await ImageRoles.read(vms, volumes);
  return volumes.filter((volume) => imageKind(volume) === "iso" && roles.of(volume) === "library")
    .map(({ path, pool, name, capacity }) => ({ path, pool, name, sizeBytes: capacity }));
}

function networkOf({ name, active, xml }: { name: string; active: boolean; xml: string }) {
  const root = parseXml(xml);
  const forward = child(root, "forward");
  const bridge = child(root, "bridge")?.attributes.name;
  return {
    name,
    active,
    forward: forward === undefined ? "isolated" : forward.attributes.mode ?? "nat",
    ...(bridge !== undefined && { bridge }),
  };
}

/** The short names first, then the newest of each kind. */
const byUse = (a: MachineType, b: MachineType) =>
  Number(b.canonical !== undefined) - Number(a.canonical !== undefined) ||
  b.name.localeCompare(a.name, "en", { numeric: true });

/** The machine type when nothing is said: PCI Express, where there is. */
const USUAL_MACHINE = "q35";

/** @throws {ContractError} NotOnThisHost; @throws {LibvirtError} */
export async function createOptions(
  services: CreateServices,
  wish: Input<"get_create_options">,
): Promise<CreateOptions> {
  const { capabilities, make } = services;
  const { machine, inventory } = services.vms.requireFilled();
  const [{ platform, offer }, guests, trouble, storage, bridges, host, memoryMb] = await Promise.all(
    [
      platformFor(services, wish, USUAL_MACHINE),
      capabilities.guests(),
      kvmTroubleFor(services),
      poolFacts(services),
      machine?.bridges(),
      make.get(),
      make.memoryMb(),
    ],
  );
  const networks = inventory.networks.records().map(networkOf);
  const own = new Set(networks.map(({ bridge }) => bridge));
  const active = storage.pools.filter((pool) => pool.active).map(({ name }) => name);
  return {
    virtType: platform.virtType,
    virtTypes: [
      { id: "kvm", available: trouble === null, ...(trouble !== null && { reason: trouble }) },
      { id: "qemu", available: true },
    ],
    arches: guests.guests.map(({ arch }) => arch),
    arch: platform.arch,
    machines: (guests.guests.find(({ arch }) => arch === platform.arch)?.machines ?? []).toSorted(byUse)
      .map(({ name, canonical }) => ({ name, ...(canonical !== undefined && { canonical }) })),
    machine: platform.machine,
    maxCpus: offer.maxCpus ?? null,
    firmwares: [...offer.firmwares],
    tpm: offer.tpm,
    cpuModes: [...offer.cpuModes],
    cpuModels: [...offer.cpuModels],
    diskBuses: [...offer.diskBuses],
    nicModels: [...offer.nicModels],
    videoModels: [...offer.videoModels],
    graphics: [...offer.graphics],
    soundModels: [...offer.soundModels],
    watchdogs: [...offer.watchdogs],
    networks,
    network: usualNetwork(networks) ?? null,
    bridges: [...bridges ?? []].filter((bridge) => !own.has(bridge)).sort(),
    pools: storage.pools.map(({ name, active, formats, availableBytes, capacityBytes }) => ({
      name,
      active,
      formats: [...formats],
      availableBytes,
      capacityBytes,
    })),
    pool: storage.defaultPool ?? null,
    isos: await isos(services, active),
    host: { cpus: host.threads, memoryMb },
  };
}
