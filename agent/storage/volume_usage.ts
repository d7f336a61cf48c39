/** Who uses which storage: for the lists from memory, and exactly, from the images' own heads, before something goes. */
import { ImageRefused } from "./disk_images/chain.ts";
import { isSystemError } from "../files.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { disksOf } from "../../lib/formats/xml/device_diff.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { summarizeSnapshot } from "../../lib/formats/xml/snapshot.ts";
import { isUnsupported } from "../libvirt/failure.ts";
import { isLocal } from "../libvirt/uri.ts";
import { resolvedPath, resolvedPaths } from "../resolved_path.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { log } from "../log.ts";
import { backingChain } from "./disk_images/backing.ts";
import type { Host } from "../hosts/host.ts";
import { mayBeFile, pathOfDisk } from "./disk_path.ts";
import { isActivePool } from "./shared.ts";
import type { Volume } from "./volumes.ts";

/** Milliseconds the images' heads may take to be read: behind a dead server they never are. */
const HEADS_MS = 15_000;

type Disk = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly format?: string | undefined;
};

/** A VM, by what is shown of it: one in no list, as a boot test's, has no page to lead to. */
const userOf = (inventory: Inventory, { id, name }: VM): StorageUser => ({
  vmId: inventory.vm(id) === undefined ? "" : id,
  name,
});

/** What a disk is on: a path, or `volume:pool/name`. */
const placeOf = ({ type, source }: Disk) => type === "volume" ? `volume:${source}` : source;
const placesOf = ({ pool, name, path }: Volume) => [path, `volume:${pool}/${name}`];

/** Who uses each volume, as far as the live model knows. */
export class VolumeUsage {
  /** Place → its users by name, which is a VM's alone on a host. */
  readonly #byPlace = new Map<string, Map<string, StorageUser>>();

  constructor(inventory: Inventory) {
    for (const vm of inventory.everyVm()) {
      for (const disk of vm.disks) this.#add(placeOf(disk), [userOf(inventory, vm)]);
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

  /** The VMs that need a volume: as their disk, or because their disk is built on it. */
  of(volume: Volume): StorageUser[] {
    // Most volumes of a large pool are nobody's.
    const places = placesOf(volume).flatMap((place) => this.#byPlace.get(place) ?? []);
    if (places.length === 0) return [];
    const found = new Map(places.flatMap((users) => [...users]));
    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** The VMs with a disk in a pool. */
  ofPool(inventory: Inventory, { name, xml }: PoolRecord): StorageUser[] {
    const { type, path } = describePool(xml);
    const below = path !== undefined && PATH_TYPES.has(type) ? `${path}/` : undefined;
    const paths = new Set(inventory.storage.peek(name)?.map((volume) => volume.path));
    const found = new Map<string, StorageUser>();
    for (const [place, users] of this.#byPlace) {
      const isIn = place.startsWith(`volume:${name}/`) || paths.has(place) ||
        (below !== undefined && place.startsWith(below));
      if (isIn) { for (const [name, user] of users) found.set(name, user); }
    }
    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  #add(place: string | undefined, users: readonly StorageUser[]): void {
    if (place === undefined) return;
    let there = this.#byPlace.get(place);
    if (there === undefined) this.#byPlace.set(place, there = new Map());
    for (const user of users) there.set(user.name, user);
  }
}

/** Refuses to stop a pool under running VMs. @throws {ContractError} StoragePoolInUse */
export function refuseRunning({ inventory }: Host, record: PoolRecord): void {
  const active = new Set(inventory.active());
  const user = new VolumeUsage(inventory).ofPool(inventory, record)
    .find(({ name }) => active.has(inventory.vmByName(name)?.id ?? ""));
  if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool: record.name, vm: user.name });
}

/**
 * Keeps VMs from writing to an image, or to what it is built on, while it is copied: a copy of what runs would be
 * torn, and what is off is kept off.
 *
 * @param except a VM that is held already
 * @throws {ContractError} VolumeInUse while one runs, VmBusy
 */
export async function holdWriters(
  host: Host,
  { path, backing, volume }: { path: string; backing: readonly { path: string }[]; volume: Volume },
  held: DisposableStack,
  except?: string,
): Promise<void> {
  const { inventory, link: { uri } } = host;
  const copied = [path, ...placesOf(volume), ...backing.map((image) => image.path)];
  const places = new Set(await resolvedPaths(uri, copied));
  const written = new Set<string>();
  for (const { id, disks } of inventory.vms()) {
    const own = disks.filter(({ readOnly }) => !readOnly).flatMap((disk) => placeOf(disk) ?? []);
    if ((await resolvedPaths(uri, own)).some((place) => places.has(place))) written.add(id);
  }
  // From here on nothing is waited for: a VM could start meanwhile.
  const active = new Set(inventory.active());
  for (const vm of inventory.vms()) {
    const writes = written.has(vm.id);
    if (!writes || vm.id === except) continue;
    const { pool, name } = volume;
    if (active.has(vm.id)) throw new ContractError("VolumeInUse", { vm: vm.name, pool, name });
    held.use(host.claim(vm, "copying a disk"));
  }
}

/** Everything that VMs have or will have at their next start, with what it is built on, read from the images. */
async function placesInUse({ link, inventory }: Host): Promise<Map<string, string>> {
  const active = new Set(inventory.active());
  const found = new Map<string, string>();
  const here = isLocal(link.uri);
  for (const vm of inventory.everyVm()) {
    const next = vm.persistent && active.has(vm.id)
      ? disksOf(await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true }))
      : [];
    for (const disk of [...vm.disks, ...next]) {
      const place = await pathOfDisk(link, disk);
      if (place === undefined) continue;
      found.set(await resolvedPath(link.uri, place), vm.name);
      if (!here || !mayBeFile(disk) || disk.format !== "qcow2" || !place.startsWith("/")) continue;
      for (const path of await resolvedPaths(link.uri, await chainOf(place))) found.set(path, vm.name);
    }
    if (!here || !vm.persistent) continue;
    for (const path of await snapshotImages(link, vm.id)) {
      found.set(await resolvedPath(link.uri, path), vm.name);
    }
  }
  return found;
}

/** The images that are the content of a VM's snapshots, with what they are built on. @throws {LibvirtError} */
async function snapshotImages(link: Host["link"], uuid: string): Promise<string[]> {
  try {
    const external = (await link.call("snapshotScan", { uuid })).flatMap(({ xml }) =>
      summarizeSnapshot(xml).externalDisks
    );
    const chains = external.map(async ({ path, format }) =>
      path === undefined ? [] : format === "qcow2" ? [path, ...await chainOf(path)] : [path]
    );
    return (await Promise.all(chains)).flat();
  } catch (error) {
    if (isUnsupported(error)) return [];
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return [];
    throw error;
  }
}

/** What an image is built on. */
async function chainOf(path: string): Promise<string[]> {
  try {
    return await backingChain(path);
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof ImageRefused)) throw error;
    log.warn("what an image is built on cannot be read", { path, error });
    return [];
  }
}

/**
 * Reads the volumes of pools that nobody has looked at yet: they would look like none.
 *
 * @param names all of them when left out; one that is gone or stopped has none @throws {LibvirtError}
 */
export async function readPools({ inventory: { storage } }: Host, names?: Iterable<string>): Promise<void> {
  const wanted = names && new Set(names);
  for (const record of storage.records()) {
    if (isActivePool(record) && (wanted?.has(record.name) ?? true)) await storage.volumes(record.name);
  }
}

/**
 * What tells which volume is built on what is at a path, as the pools tell it.
 *
 * @param own paths of volumes that do not count
 */
export async function overlays(
  { inventory, link: { uri } }: Host,
  own: ReadonlySet<string> = new Set(),
): Promise<(path: string) => Promise<Volume | undefined>> {
  const byBase = new Map<string, Volume>(), left = new Set(await resolvedPaths(uri, [...own]));
  for (const volume of inventory.storage.known()) {
    if (volume.backing === undefined || left.has(await resolvedPath(uri, volume.path))) continue;
    byBase.set(await resolvedPath(uri, volume.backing.path), volume);
  }
  return async (path) => byBase.get(await resolvedPath(uri, path));
}

/**
 * What tells who needs a volume, exactly: asked before something is deleted, overwritten or resized.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time: then nothing may go
 */
export async function exactUsers(host: Host): Promise<(volume: Volume) => Promise<string | undefined>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), HEADS_MS));
  const reading = placesInUse(host);
  const found = await Promise.race([reading, limit]).finally(() => clearTimeout(timer));
  if (found === undefined) {
    reading.catch((error) => log.debug("the VMs' images could not be read", { error }));
    const reason = "the images of the VMs cannot be read now, so who uses what is not known";
    throw new ContractError("StorageUnknown", { reason });
  }
  const memory = new VolumeUsage(host.inventory);
  return async (volume) => {
    for (const place of await resolvedPaths(host.link.uri, placesOf(volume))) {
      const name = found.get(place) ?? host.keepers.of(place);
      if (name !== undefined) return name;
    }
    return host.keepers.of(volume.path) ?? memory.of(volume)[0]?.name;
  };
}
