/** Who uses which storage: for the lists from memory, and exactly, from the images' own heads, before something goes. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { disksOf } from "../../lib/xml/device_diff.ts";
import { describePool } from "../../lib/xml/pool.ts";
import { isLocal } from "../host/local.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { log } from "../log.ts";
import { backingChain } from "../vm/backing.ts";
import type { VmServices } from "../vm/services.ts";
import type { Volume } from "./volumes.ts";

/** Milliseconds the images' heads may take to be read: behind a dead server they never are. */
const HEADS_MS = 15_000;

type Disk = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly format?: string | undefined;
};

/** A machine, by what is shown of it. */
const userOf = ({ id, name }: VM): StorageUser => ({ vmId: id, name });

/** What a disk is on: a path, or `volume:pool/name`. */
const placeOf = ({ type, source }: Disk) => type === "volume" ? `volume:${source}` : source;
const placesOf = ({ pool, name, path }: Volume) => [path, `volume:${pool}/${name}`];

/** Who uses each volume, as far as the live model knows. */
export class Users {
  readonly #byPlace = new Map<string, Map<string, StorageUser>>();

  constructor(inventory: Inventory) {
    for (const vm of inventory.vms()) {
      for (const disk of vm.disks) this.#add(placeOf(disk), [userOf(vm)]);
    }
    const known = inventory.storage.known();
    const byPath = new Map(known.map((volume) => [volume.path, volume]));
    for (const volume of known) {
      const users = this.of(volume);
      if (users.length === 0) continue;
      const seen = new Set<string>();
      for (
        let at = volume.backing?.path;
        at !== undefined && !seen.has(at);
        at = byPath.get(at)?.backing?.path
      ) {
        seen.add(at);
        this.#add(at, users);
      }
    }
  }

  /** The machines that need a volume: as their disk, or because their disk is built on it. */
  of(volume: Volume): StorageUser[] {
    // Most volumes of a large pool are nobody's.
    const places = placesOf(volume).flatMap((place) => this.#byPlace.get(place) ?? []);
    if (places.length === 0) return [];
    const found = new Map(places.flatMap((users) => [...users]));
    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** The machines with a disk in a pool. */
  ofPool(inventory: Inventory, { name, xml }: PoolRecord): StorageUser[] {
    const { type, path } = describePool(xml);
    const below = path !== undefined && PATH_TYPES.has(type) ? `${path}/` : undefined;
    const paths = new Set(inventory.storage.peek(name)?.map((volume) => volume.path));
    const found = new Map<string, StorageUser>();
    for (const [place, users] of this.#byPlace) {
      const isIn = place.startsWith(`volume:${name}/`) || paths.has(place) ||
        (below !== undefined && place.startsWith(below));
      if (isIn) { for (const [id, user] of users) found.set(id, user); }
    }
    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  #add(place: string | undefined, users: readonly StorageUser[]): void {
    if (place === undefined) return;
    let there = this.#byPlace.get(place);
    if (there === undefined) this.#byPlace.set(place, there = new Map());
    for (const user of users) there.set(user.vmId, user);
  }
}

/** Refuses to stop a pool under running machines. @throws {ContractError} StoragePoolInUse */
export function refuseRunning({ inventory }: VmServices, record: PoolRecord): void {
  const active = new Set(inventory.active());
  const user = new Users(inventory).ofPool(inventory, record)
    .find(({ vmId }) => active.has(vmId));
  if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool: record.name, vm: user.name });
}

/** Refuses to copy what a running machine writes to: the copy would be torn. @throws {ContractError} VolumeInUse */
export function refuseRunningVolume({ inventory }: VmServices, volume: Volume): void {
  const active = new Set(inventory.active());
  const { pool, name, path } = volume;
  const writer = inventory.vms().find(({ id, disks }) =>
    active.has(id) && disks.some((disk) =>
      !disk.readOnly && placeOf(disk) !== undefined &&
      [path, `volume:${pool}/${name}`].includes(placeOf(disk)!)
    )
  );
  if (writer !== undefined) throw new ContractError("VolumeInUse", { vm: writer.name, pool, name });
}

/** Everything that machines have or will have at their next start, with what it is built on, read from the images. */
async function placesInUse({ link, inventory }: VmServices): Promise<Map<string, string>> {
  const active = new Set(inventory.active());
  const found = new Map<string, string>();
  const here = isLocal(link.uri);
  for (const vm of inventory.vms()) {
    const next = vm.persistent && active.has(vm.id)
      ? disksOf(await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true }))
      : [];
    for (const disk of [...vm.disks, ...next]) {
      const place = placeOf(disk);
      if (place === undefined) continue;
      found.set(place, vm.name);
      if (!here || disk.type === "network" || !place.startsWith("/")) continue;
      for (const path of await headsOf(disk, place)) found.set(path, vm.name);
    }
  }
  return found;
}

/** The real path of an image, and those it is built on. */
async function headsOf({ type, format }: Disk, path: string): Promise<string[]> {
  try {
    const real = await Deno.realPath(path);
    return [real, ...type === "file" && format === "qcow2" ? await backingChain(path) : []];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn("what an image is built on cannot be read", { path, error });
    }
    return [];
  }
}

/**
 * What tells who needs a volume, exactly: asked before something is deleted, overwritten or resized.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time: then nothing may go
 */
export async function exactUsers(services: VmServices): Promise<(volume: Volume) => string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), HEADS_MS));
  const reading = placesInUse(services);
  const found = await Promise.race([reading, limit]).finally(() => clearTimeout(timer));
  if (found === undefined) {
    reading.catch((error) => log.debug("the machines' images could not be read", { error }));
    const reason = "the images of the VMs cannot be read now, so who uses what is not known";
    throw new ContractError("StorageUnknown", { reason });
  }
  const memory = new Users(services.inventory);
  return (volume) => {
    for (const place of placesOf(volume)) {
      const name = found.get(place);
      if (name !== undefined) return name;
    }
    return memory.of(volume)[0]?.name;
  };
}
