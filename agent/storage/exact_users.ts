/**
 * Users of a volume, read from libvirt and the images' heads: asked before a volume is deleted, replaced or
 * overwritten.
 */
import { userName, vmName, type VmReference } from "../../lib/i18n/message.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { disksOf } from "../../lib/formats/xml/device_diff.ts";
import { namedPaths } from "../../lib/formats/xml/named_paths.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { isDefined } from "../libvirt/definitions.ts";
import { resolvedByFolder, resolvedPath, resolvedPaths } from "../machine/resolved_path.ts";
import { log } from "../log.ts";
import { knownChain, unreadText } from "./disk_images/users.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { mayBeFile, pathOfDisk } from "./disk_path.ts";
import { FileIdentities, filesBelow } from "./folder_content.ts";
import { mountBelow } from "./mounts.ts";
import { overlays, readKnownPools, unreadPoolText } from "./overlays.ts";
import { snapshotFiles } from "./snapshot_files.ts";
import { namedUser, placesOf, type PlaceUse, poolFolders, UsedPlaces, vmUser } from "./used_places.ts";
import { isNot } from "./volume_keepers.ts";
import type { PoolVolume } from "./volumes.ts";
import { savedDevices } from "./saved_devices.ts";

/** Milliseconds the images' heads may take to be read: behind a dead server they never are. */
const HEADS_MS = 15_000;

type Services = Pick<LibvirtHost, "inventory" | "link" | "machine">;

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

/** Paths that a VM's saved memory resumes with, if they are not those of its definition. */
async function savedPaths(host: Services, vm: VM): Promise<{ path: string; isImage: boolean }[]> {
  const saved = await savedDevices(host, vm);
  if (saved === undefined) return [];
  const disks = await Promise.all(saved.disks.map(async (disk) => {
    const path = await pathOfDisk(host.link, disk);
    return path === undefined ? [] : [{ path, isImage: mayBeFile(disk) && disk.format === "qcow2" }];
  }));
  return [...disks.flat(), ...saved.otherPaths.map((path) => ({ path, isImage: false }))];
}

/** Files that VMs need. */
interface VmsNeed {
  readonly used: UsedPlaces;
  /** An image that is not there, of which no definition says what it is built on: that may be anything. */
  readonly unread?: string;
}

/** Everything that VMs have, or will have at their next start, with what it is built on, read from libvirt and the images. */
async function neededByVms(
  host: Services,
  vms: readonly VM[],
  { isLiveOnly = false, givenUpBy }: UseOptions & { readonly isLiveOnly?: boolean } = {},
): Promise<VmsNeed> {
  const { link, inventory, machine } = host, here = machine !== null;
  const snapshots = isLiveOnly ? undefined : await snapshotFiles(link);
  const needed: [path: string, user: StorageUser][] = [];
  let unread: string | undefined;
  await Promise.all(vms.map(async (vm) => {
    const user = vmUser(inventory, vm);
    const take = async (path: string, isImage: boolean) => {
      needed.push([path, user]);
      if (!here || !isImage || !path.startsWith("/")) return undefined;
      const chain = await knownChain(inventory, path);
      for (const base of chain.paths) needed.push([base, user]);
      return chain.unread;
    };
    const definitions = vm.id === givenUpBy ? [] : await definitionsOf(host, vm, isLiveOnly);
    const disks = definitions.flatMap((xml) => disksOf(xml));
    const isDeclared = (source: string | undefined) =>
      disks.some((disk) => disk.source === source && disk.isChainComplete);
    for (const path of definitions.flatMap((xml) => namedPaths(parseXml(xml)))) needed.push([path, user]);
    for (const disk of disks) {
      if (disk.type === "volume") needed.push([`volume:${disk.source}`, user]);
      const path = await pathOfDisk(link, disk);
      if (path === undefined) continue;
      const missing = await take(path, mayBeFile(disk) && disk.format === "qcow2");
      if (missing === undefined || isDeclared(disk.source)) continue;
      // Deleted with its VM since that was read
      if (await isDefined(link, vm.id)) unread ??= unreadText(missing, vm.name);
    }
    for (const { path, isImage } of vm.id === givenUpBy ? [] : await savedPaths(host, vm)) {
      await take(path, isImage);
    }
    for (const { path, format } of snapshots?.get(vm.id) ?? []) await take(path, format === "qcow2");
  }));
  const at = await resolvedByFolder(machine, needed.map(([path]) => path)), used = new UsedPlaces();
  for (const [path, user] of needed) used.add(at(path), user);
  return unread === undefined ? { used } : { used, unread };
}

/** @throws {ContractError} StorageUnknown when that does not come in time: then nothing may go */
async function inTime<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), HEADS_MS));
  const found = await Promise.race([reading, limit]).finally(() => clearTimeout(timer));
  if (found !== undefined) return found;
  reading.catch((error) => log.debug("the VMs' images could not be read", { error }));
  const reason = "the VMs' disk images cannot be read now, so uses of this file cannot be ruled out";
  throw new ContractError("StorageUnknown", { reason });
}

/** A user of a volume, or of a file in it if it is a folder. */
export interface VolumeUse {
  /** As it is called in an error. */
  readonly user: VmReference | string;
  /** The file that is needed, from the volume's own name on: `disk.qcow2`, `folder/disk.qcow2`. */
  readonly what: string;
}

/** Uses that do not count. */
export interface UseOptions {
  /** Paths of volumes that go as well: what they are built on may go with them. */
  readonly going?: ReadonlySet<string>;
  /** Id of a VM that gives them up: its definitions do not count, its snapshots do. */
  readonly givenUpBy?: string | undefined;
}

/** Names of what no image is built on. */
const NO_BASE = /\.iso$/i;

/**
 * Tells who needs a volume.
 *
 * @param except id of the template, or the entry of the bin, whose own it is
 */
export type UseOf = (
  volume: Pick<PoolVolume, "pool" | "name" | "path" | "type">,
  except?: string,
) => Promise<VolumeUse | undefined>;

/**
 * Returns a function that finds the users of a volume exactly: asked before one is deleted, replaced,
 * overwritten or resized. Every keeper is asked: VMs with all files that they name, their snapshots,
 * templates, the bin, backups, volumes that are built on it, and for a folder also other pools and mounts.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time, or one is missing: then
 *   nothing may be deleted
 */
export async function exactUsers(
  host: LibvirtHost,
  { going, givenUpBy }: UseOptions = {},
): Promise<UseOf> {
  const { inventory, keepers, machine } = host, here = machine !== null;
  const { used, unread: image } = await inTime(neededByVms(host, inventory.everyVm(), { givenUpBy }));
  const [unread] = await readKnownPools(host);
  const pools = poolFolders(host), keptPaths = keepers.kept();
  const at = await resolvedByFolder(machine, [...keptPaths, ...pools].map(({ path }) => path));
  const kept = keptPaths.map((each) => ({ ...each, path: at(each.path) }));
  const folders = new UsedPlaces();
  for (const { pool, path } of pools) folders.add(at(path), namedUser(`storage pool ${pool}`));
  const overlayOn = await overlays(host, going);
  const identities = new FileIdentities(used.places());
  const namedAt = (place: string, held: UsedPlaces) => [...used.at(place), ...held.at(place)][0]?.name;

  /** Users of a place, by its path and by the file's identity. */
  const atPath = async (
    place: string,
    file: Deno.FileInfo | undefined,
    held: UsedPlaces,
  ): Promise<string | undefined> => {
    const named = namedAt(place, held);
    if (named !== undefined) return named;
    const overlay = await overlayOn(place);
    if (overlay !== undefined) return `the volume ${overlay.name} of ${overlay.pool}`;
    const same = file === undefined ? [] : await identities.placesOf(file);
    return same.map((each) => namedAt(each, held)).find((name) => name !== undefined);
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
    if (mount !== undefined) return { user: namedUser("a file system that is mounted there"), place: mount };
    for (const { path, info } of await filesBelow(folder)) {
      const user = await atPath(path, info, held);
      if (user !== undefined) return { user: namedUser(user), place: path };
    }
  };
  return async (volume, except) => {
    const held = new UsedPlaces();
    for (const { path, keeper } of kept.filter(isNot(except))) held.add(path, namedUser(keeper));
    const [place = volume.path, ...rest] = await resolvedPaths(machine, placesOf(volume));
    const info = here ? await identities.infoAt(volume.path) : undefined;
    for (const each of [place, ...rest]) {
      const user = await atPath(each, info, held);
      if (user !== undefined) return { user, what: volume.name };
    }
    const isFolder = volume.type === "dir" || info?.isDirectory === true;
    const inside = isFolder ? await inFolder(place, info !== undefined, held) : undefined;
    if (inside === undefined && !NO_BASE.test(volume.name)) {
      const reason = image ?? (unread && unreadPoolText(unread, volume.name));
      if (reason !== undefined) throw new ContractError("StorageUnknown", { reason });
    }
    return inside &&
      { user: userName(inside.user), what: `${volume.name}${inside.place.slice(place.length)}` };
  };
}

/**
 * Refuses to forget a pool by whose name something is found: VMs, as they run and at their next start, templates and backups.
 *
 * @throws {ContractError} StoragePoolInUse, StoragePoolNeeded @throws {LibvirtError}
 */
export async function refuseNamed(
  host: LibvirtHost,
  { name: pool, persistent }: Pick<PoolRecord, "name" | "persistent">,
): Promise<void> {
  const { inventory, keepers } = host;
  const naming = await Promise.all(
    inventory.everyVm().map(async (vm) => {
      const disks = (await definitionsOf(host, vm, false)).flatMap((xml) => disksOf(xml));
      const isNamed = disks.some(({ type, source }) => type === "volume" && source?.startsWith(`${pool}/`));
      return isNamed ? [vmName(vm)] : [];
    }),
  );
  const [vm] = naming.flat(), keeper = keepers.kept().find((each) => each.pool === pool)?.keeper;
  if (vm !== undefined) throw new ContractError("StoragePoolInUse", { pool, vm });
  if (keeper === undefined) return;
  const remedy = persistent ? "Delete that first, or stop the pool and keep it" : "Delete that first";
  throw new ContractError("StoragePoolNeeded", { pool, keeper, remedy });
}

/** Refuses to stop a pool under running VMs. @throws {ContractError} StoragePoolInUse, StorageUnknown @throws {LibvirtError} */
export async function refuseRunning(host: LibvirtHost, record: PoolRecord): Promise<void> {
  const { inventory, machine } = host, { name: pool, xml } = record;
  const running = new Set(inventory.active());
  const vms = inventory.everyVm().filter(({ id }) => running.has(id));
  const { used } = await inTime(neededByVms(host, vms, { isLiveOnly: true }));
  const { type, path } = describePool(xml);
  const folder = path !== undefined && PATH_TYPES.has(type) ? await resolvedPath(machine, path) : undefined;
  const volumes = await resolvedPaths(machine, (inventory.storage.peek(pool) ?? []).map((each) => each.path));
  const [user] = [
    ...used.beginning(`volume:${pool}/`),
    ...folder === undefined ? [] : used.below(folder).map((each) => each.user),
    ...volumes.flatMap((place) => used.at(place)),
  ];
  if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool, vm: userName(user) });
}
