/** Who uses which storage: for the lists from memory, and exactly, from libvirt and the images' heads, before something goes. */
import { ImageRefused } from "./disk_images/chain.ts";
import { isSystemError } from "../files.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { disksOf } from "../../lib/formats/xml/device_diff.ts";
import { namedPaths } from "../../lib/formats/xml/named_paths.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { isLocal } from "../libvirt/uri.ts";
import { resolvedByFolder, resolvedPath, resolvedPaths } from "../resolved_path.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { log } from "../log.ts";
import { backingChain } from "./disk_images/backing.ts";
import type { Host } from "../hosts/host.ts";
import { mayBeFile, pathOfDisk } from "./disk_path.ts";
import { FileIdentities, filesBelow } from "./folder_content.ts";
import { mountBelow } from "./mounts.ts";
import { poolFolder } from "./reachable.ts";
import { isActivePool } from "./shared.ts";
import { snapshotFiles } from "./snapshot_files.ts";
import { byName, type PlaceUse, UsedPlaces } from "./used_places.ts";
import { isNot } from "./volume_keepers.ts";
import type { Volume } from "./volumes.ts";

/** Milliseconds the images' heads may take to be read: behind a dead server they never are. */
const HEADS_MS = 15_000;

type Disk = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly format?: string | undefined;
};
type Services = Pick<Host, "inventory" | "link" | "keepers">;

/** A VM, by what is shown of it: one in no list, as a boot test's, has no page to lead to. */
const userOf = (inventory: Inventory, { id, name }: Pick<VM, "id" | "name">): StorageUser => ({
  vmId: inventory.vm(id) === undefined ? "" : id,
  name,
});

/** What is no VM. */
const other = (name: string): StorageUser => ({ vmId: "", name });

/** What a disk is on: a path, or `volume:pool/name`. */
const placeOf = ({ type, source }: Disk) => type === "volume" ? `volume:${source}` : source;
const placesOf = (
  { pool, name, path }: Pick<Volume, "pool" | "name" | "path">,
) => [path, `volume:${pool}/${name}`];

/** The pools that are folders of this host, with their folders. */
const poolFolders = ({ inventory }: Pick<Host, "inventory">): { pool: string; path: string }[] =>
  inventory.storage.records().flatMap(({ name, xml }) => {
    const { type, path } = describePool(xml);
    return path !== undefined && PATH_TYPES.has(type) && !path.startsWith("/dev/")
      ? [{ pool: name, path }]
      : [];
  });

/** What VMs' snapshots need, for a list: not known while libvirt does not say. */
async function knownSnapshotFiles(
  { link, inventory }: Services,
): Promise<[path: string, user: StorageUser][]> {
  try {
    return [...await snapshotFiles(link)].flatMap(([uuid, files]) => {
      const vm = inventory.anyVm(uuid);
      return vm === undefined
        ? []
        : files.map(({ path }): [string, StorageUser] => [path, userOf(inventory, vm)]);
    });
  } catch (error) {
    log.debug("the files of snapshots are not known", { error });
    return [];
  }
}

/** Who uses each volume, as far as the live model knows. */
export class VolumeUsage {
  /** What VMs need. */
  readonly #vms = new UsedPlaces();
  /** What else is needed: by templates, the bin, backups. */
  readonly #others = new UsedPlaces();
  /** The folders of pools. */
  readonly #pools = new UsedPlaces();

  private constructor(
    private readonly inventory: Inventory,
    /** Where a path leads. */
    private readonly at: (path: string) => string,
  ) {}

  /**
   * Reads it. Whatever cannot be asked now counts as unused.
   *
   * @param asked volumes that are asked for, where their pools may not be known
   */
  static async read(host: Services, asked: readonly Pick<Volume, "path">[] = []): Promise<VolumeUsage> {
    const { inventory, keepers, link: { uri } } = host;
    const needed: [path: string, user: StorageUser][] = await knownSnapshotFiles(host);
    for (const vm of inventory.everyVm()) {
      const user = userOf(inventory, vm);
      for (const path of inventory.record(vm.id)?.summary.paths ?? []) needed.push([path, user]);
      for (const disk of vm.disks) {
        const place = placeOf(disk);
        if (place !== undefined) needed.push([place, user]);
        // A folder is asked for what lies in it, by path.
        const [pool = "", ...name] = disk.type === "volume" ? disk.source?.split("/") ?? [] : [];
        const folder = pool === "" ? undefined : poolFolder({ inventory }, pool);
        if (folder !== undefined) needed.push([`${folder}/${name.join("/")}`, user]);
      }
    }
    const kept = keepers.kept(), pools = poolFolders(host);
    const overlays = inventory.storage.known().filter(({ backing }) => backing !== undefined);
    const at = await resolvedByFolder(
      uri,
      [
        ...[...needed.map(([path]) => path), ...[...kept, ...pools, ...asked].map(({ path }) => path)],
        ...overlays.map(({ backing }) => backing!.path),
      ],
      inventory.storage.records().flatMap(({ xml }) => describePool(xml).path ?? []),
    );
    const usage = new VolumeUsage(inventory, at);
    for (const [path, user] of needed) usage.#vms.add(at(path), user);
    for (const { path, keeper } of kept) usage.#others.add(at(path), other(keeper));
    for (const { pool, path } of pools) usage.#pools.add(at(path), other(`storage pool ${pool}`));
    usage.#followBackings(overlays);
    return usage;
  }

  /** Who needs an overlay needs what it is built on. */
  #followBackings(overlays: readonly Volume[]): void {
    const byPath = new Map(overlays.map((volume) => [this.at(volume.path), volume]));
    for (const volume of overlays) {
      const users = this.#placesOf(volume).flatMap((place) => this.#vms.at(place));
      if (users.length === 0) continue;
      const seen = new Set<string>();
      for (let next: Volume | undefined = volume; next?.backing !== undefined;) {
        const base = this.at(next.backing.path);
        if (seen.has(base)) break;
        seen.add(base);
        this.#vms.add(base, ...users);
        next = byPath.get(base);
      }
    }
  }

  /** What needs a volume: VMs whose file it is or whose disk is built on it, and what keeps it; of a folder, what lies in it. */
  of(volume: Volume): StorageUser[] {
    const places = this.#placesOf(volume);
    const own = places.flatMap((place) => [...this.#vms.at(place), ...this.#others.at(place)]);
    if (volume.type !== "dir") return byName(own);
    const inside = places.flatMap((place) => [
      ...this.#pools.at(place),
      ...[this.#vms, this.#others, this.#pools].flatMap((each) => each.below(place)).map(({ user }) => user),
    ]);
    return byName([...own, ...inside]);
  }

  /** Whether something else than a VM needs a volume. */
  isKept(volume: Volume): boolean {
    return this.#placesOf(volume).some((place) => this.#others.at(place).length > 0);
  }

  /** The VMs with files in a pool. */
  ofPool({ name, xml }: PoolRecord): StorageUser[] {
    const { type, path } = describePool(xml);
    const folder = path !== undefined && PATH_TYPES.has(type) ? this.at(path) : undefined;
    const volumes = this.inventory.storage.peek(name) ?? [];
    return byName([
      ...this.#vms.beginning(`volume:${name}/`),
      ...volumes.flatMap((volume) => this.#placesOf(volume)).flatMap((place) => this.#vms.at(place)),
      ...folder === undefined ? [] : this.#vms.below(folder).map(({ user }) => user),
    ]);
  }

  #placesOf(volume: Volume): string[] {
    return placesOf(volume).map((place) => this.at(place));
  }
}

/** Refuses to stop a pool under running VMs. @throws {ContractError} StoragePoolInUse, StorageUnknown @throws {LibvirtError} */
export async function refuseRunning(host: Host, record: PoolRecord): Promise<void> {
  const { inventory, link: { uri } } = host, { name: pool, xml } = record;
  const running = new Set(inventory.active());
  const vms = inventory.everyVm().filter(({ id }) => running.has(id));
  const used = await inTime(usedByVms(host, vms, { isLiveOnly: true }));
  const { type, path } = describePool(xml);
  const folder = path !== undefined && PATH_TYPES.has(type) ? await resolvedPath(uri, path) : undefined;
  const volumes = await resolvedPaths(uri, (inventory.storage.peek(pool) ?? []).map((each) => each.path));
  const [user] = [
    ...used.beginning(`volume:${pool}/`),
    ...folder === undefined ? [] : used.below(folder).map((each) => each.user),
    ...volumes.flatMap((place) => used.at(place)),
  ];
  if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool, vm: user.name });
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

/** A VM's definitions as libvirt has them now: what runs, and what will at its next start. */
async function definitionsOf(
  { link, inventory }: Services,
  { id: uuid, persistent }: VM,
  isLiveOnly: boolean,
): Promise<string[]> {
  const next = persistent && !isLiveOnly && inventory.active().includes(uuid);
  try {
    return await Promise.all(
      (next ? [false, true] : [false]).map((inactive) =>
        link.call("domainXml", { uuid, secure: false, inactive })
      ),
    );
  } catch (error) {
    // It has been undefined since: it needs nothing
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return [];
    throw error;
  }
}

/** Everything that VMs have, or will have at their next start, with what it is built on, read from libvirt and the images. */
async function usedByVms(
  host: Services,
  vms: readonly VM[],
  { isLiveOnly = false, givenUpBy }: UseOptions & { readonly isLiveOnly?: boolean } = {},
): Promise<UsedPlaces> {
  const { link, inventory } = host, { uri } = link, here = isLocal(uri);
  const snapshots = isLiveOnly ? undefined : await snapshotFiles(link);
  const needed: [path: string, user: StorageUser][] = [];
  await Promise.all(vms.map(async (vm) => {
    const user = userOf(inventory, vm);
    const take = async (path: string, isImage: boolean) => {
      needed.push([path, user]);
      if (!here || !isImage || !path.startsWith("/")) return;
      for (const base of await chainOf(path)) needed.push([base, user]);
    };
    for (const xml of vm.id === givenUpBy ? [] : await definitionsOf(host, vm, isLiveOnly)) {
      for (const path of namedPaths(parseXml(xml))) needed.push([path, user]);
      for (const disk of disksOf(xml)) {
        if (disk.type === "volume") needed.push([`volume:${disk.source}`, user]);
        const path = await pathOfDisk(link, disk);
        if (path !== undefined) await take(path, mayBeFile(disk) && disk.format === "qcow2");
      }
    }
    for (const { path, format } of snapshots?.get(vm.id) ?? []) await take(path, format === "qcow2");
  }));
  const at = await resolvedByFolder(uri, needed.map(([path]) => path)), used = new UsedPlaces();
  for (const [path, user] of needed) used.add(at(path), user);
  return used;
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
  const all = inventory.storage.known().filter(({ backing }) => backing !== undefined);
  const at = await resolvedByFolder(uri, [
    ...own,
    ...all.flatMap(({ path, backing }) => [path, backing!.path]),
  ]);
  const byBase = new Map<string, Volume>(), left = new Set([...own].map(at));
  for (const volume of all) if (!left.has(at(volume.path))) byBase.set(at(volume.backing!.path), volume);
  return async (path) => byBase.get(await resolvedPath(uri, path));
}

/** @throws {ContractError} StorageUnknown when that does not come in time: then nothing may go */
async function inTime<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), HEADS_MS));
  const found = await Promise.race([reading, limit]).finally(() => clearTimeout(timer));
  if (found !== undefined) return found;
  reading.catch((error) => log.debug("the VMs' images could not be read", { error }));
  const reason = "the images of the VMs cannot be read now, so who uses what is not known";
  throw new ContractError("StorageUnknown", { reason });
}

/** What needs a volume, or something in it where it is a folder. */
export interface VolumeUse {
  /** As it is called in an error. */
  readonly user: string;
  /** What is needed, from the volume's own name on: `disk.qcow2`, `folder/disk.qcow2`. */
  readonly what: string;
}

/** What does not count as a use. */
export interface UseOptions {
  /** Paths of volumes that go as well: what they are built on may go with them. */
  readonly going?: ReadonlySet<string>;
  /** Id of a VM that gives them up: its definitions do not count, its snapshots do. */
  readonly givenUpBy?: string | undefined;
}

/**
 * Tells who needs a volume.
 *
 * @param except id of the template, or the entry of the bin, whose own it is
 */
export type UseOf = (
  volume: Pick<Volume, "pool" | "name" | "path" | "type">,
  except?: string,
) => Promise<VolumeUse | undefined>;

/**
 * What tells who needs a volume, exactly: asked before something is removed, replaced, overwritten or resized. Every keeper
 * is asked: VMs with all files that they name, their snapshots, templates, the bin, backups, volumes that are built on it,
 * and of a folder also other pools and mounts.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time: then nothing may go
 */
export async function exactUsers(
  host: Host,
  { going, givenUpBy }: UseOptions = {},
): Promise<UseOf> {
  const { inventory, keepers, link: { uri } } = host, here = isLocal(uri);
  const used = await inTime(usedByVms(host, inventory.everyVm(), { givenUpBy }));
  await readKnownPools(host);
  const pools = poolFolders(host), keptPaths = keepers.kept();
  const at = await resolvedByFolder(uri, [...keptPaths, ...pools].map(({ path }) => path));
  const kept = keptPaths.map((each) => ({ ...each, path: at(each.path) }));
  const folders = new UsedPlaces();
  for (const { pool, path } of pools) folders.add(at(path), other(`storage pool ${pool}`));
  const overlayOn = await overlays(host, going);
  const identities = new FileIdentities(used.places());
  const namedAt = (place: string, held: UsedPlaces) => [...used.at(place), ...held.at(place)][0]?.name;

  /** Who needs what is at a path, by the path and by what the file itself is. */
  const atPath = async (
    place: string,
    file: Deno.FileInfo | undefined,
    held: UsedPlaces,
  ): Promise<string | undefined> => {
    const named = namedAt(place, held);
    if (named !== undefined) return named;
    const overlay = await overlayOn(place);
    if (overlay !== undefined) return `the volume ${overlay.name} of ${overlay.pool}`;
    const same = file === undefined ? undefined : await identities.placeOf(file);
    return same === undefined ? undefined : namedAt(same, held);
  };
  const inFolder = async (
    folder: string,
    isThere: boolean,
    held: UsedPlaces,
  ): Promise<PlaceUse | undefined> => {
    const [own] = folders.at(folder);
    if (own !== undefined) return { user: own, place: folder };
    const [inside] = [used, held, folders].flatMap((each) => each.below(folder));
    if (inside !== undefined || !here || !isThere) return inside;
    const mount = await mountBelow(folder);
    if (mount !== undefined) return { user: other("a file system that is mounted there"), place: mount };
    for (const { path, info } of await filesBelow(folder)) {
      const user = await atPath(path, info, held);
      if (user !== undefined) return { user: other(user), place: path };
    }
  };
  return async (volume, except) => {
    const held = new UsedPlaces();
    for (const { path, keeper } of kept.filter(isNot(except))) held.add(path, other(keeper));
    const [place = volume.path, ...rest] = await resolvedPaths(uri, placesOf(volume));
    const info = here ? await identities.infoAt(volume.path) : undefined;
    for (const each of [place, ...rest]) {
      const user = await atPath(each, info, held);
      if (user !== undefined) return { user, what: volume.name };
    }
    const isFolder = volume.type === "dir" || info?.isDirectory === true;
    const inside = isFolder ? await inFolder(place, info !== undefined, held) : undefined;
    return inside && { user: inside.user.name, what: `${volume.name}${inside.place.slice(place.length)}` };
  };
}

/** Reads the pools that can be read now: those there are, and what is built on a volume in any of them. */
export async function readKnownPools(host: Host): Promise<void> {
  await host.inventory.storage.refresh().catch((error) =>
    log.debug("the storage pools cannot be read now", { error })
  );
  for (const { name } of host.inventory.storage.records().filter(isActivePool)) {
    await readPools(host, [name]).catch((error) =>
      log.debug("what is in a storage pool is not known", { pool: name, error })
    );
  }
}
