/** Exact plan of a VM's deletion: the disks that can be deleted, and for each other one the reason. */
import { isSystemError } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { findVolumeAt, findVolumeNamed, type PoolVolume } from "../../storage/volumes.ts";
import type { DeletePlan, Disk, DoomedDisk, VM } from "../../../lib/contract/mod.ts";
import { lineageIn } from "../../../lib/backup/replaced.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramOf } from "../../../lib/formats/xml/identity.ts";
import { parseXml } from "../../../lib/formats/xml/tree.ts";
import { summarizePool } from "../../../lib/formats/xml/volume.ts";
import { isBinOn, unkeepable } from "../../storage/bin/keep.ts";
import { splitPath } from "../../../lib/bin/place.ts";
import { log } from "../../log.ts";
import { ProgramLate, runProgram } from "../../machine/programs.ts";
import { resolvedPath, resolvedPaths } from "../../machine/resolved_path.ts";
import { backingImages, type NamedImage } from "../../storage/disk_images/backing.ts";
import { imageOf } from "../../storage/disk_origin.ts";
import { ImageRefused } from "../../storage/disk_images/chain.ts";
import { imageUsers, unreadText } from "../../storage/disk_images/users.ts";
import { type Overlay, overlays, readKnownPools, unreadPoolText } from "../../storage/overlays.ts";
import { ownSeed } from "../cloud_init/seed.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { scan } from "../snapshots/scan.ts";
import { isNotResponding } from "../../machine/mount_gate.ts";
import { message, type Unrendered } from "../../../lib/i18n/message.ts";

/** A disk in the plan. `hinders`: whoever asks for all disks to go must be told that this one cannot. */
export type PlannedDisk = Unrendered<DoomedDisk> & { readonly hinders: boolean };

/** Kinds of pools whose block devices are made and deleted by libvirt. */
const OWN_BLOCKS: ReadonlySet<string> = new Set(["logical", "zfs"]);

/** Why a disk is none that deleting could mean, whatever its file is like. */
function unfit({ device, readOnly, shareable, type }: Disk): string | undefined {
  if (device === "cdrom") return "it is a CD-ROM, which other VMs may use";
  if (device !== "disk") return `it is a ${device}, not a disk image`;
  if (readOnly) return "it is read-only, so it is not this VM's own";
  if (shareable) return "it is marked as shared with other VMs";
  if (type !== "file" && type !== "volume" && type !== "block") {
    return `it is not on this host (${type})`;
  }
}

/** Path and pool of a disk. */
interface Place {
  readonly path: string;
  readonly pool: string | undefined;
  readonly missing: boolean;
  /** Its volume in the pool. */
  readonly volume: PoolVolume | undefined;
}

async function placeOf({ link }: LibvirtHost, { type, source = "" }: Disk): Promise<Place> {
  if (type === "volume") {
    const [pool = "", ...name] = source.split("/");
    const volume = await findVolumeNamed(link, pool, name.join("/"));
    return { path: volume?.path ?? source, pool, missing: volume === undefined, volume };
  }
  // libvirt would open it, too: what is there is said below.
  if (link.machine !== null && source.startsWith("/") && !await link.machine.files.responds(source)) {
    return { path: source, pool: undefined, missing: false, volume: undefined };
  }
  const volume = await findVolumeAt(link, source);
  return { path: source, pool: volume?.pool, missing: false, volume };
}

/** Milliseconds that a look at a folder may take. */
const FOLDER_MS = 5000;

/** Whether the folder of a file lets none go: an immutable one reports it only to a writer. */
async function isFolderClosed(path: string): Promise<boolean> {
  const { folder } = splitPath(path);
  try {
    return (await runProgram("test", ["-w", plainPath(folder)], { limitMs: FOLDER_MS })).code === 1;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof ProgramLate)) throw error;
    log.debug("whether a folder takes changes is not known", { folder, error });
    return false;
  }
}

/** Why what is at a path cannot be deleted; `missing`: because it is not there. */
async function undeletable(
  { link }: LibvirtHost,
  { path, pool, missing }: Place,
  { type }: Disk,
): Promise<{ reason: string; missing: boolean } | undefined> {
  const gone = { reason: "it does not exist", missing: true };
  if (missing) return gone;
  if (type === "block") {
    const kind = pool === undefined ? "" : summarizePool(await link.call("poolXml", { pool })).type;
    return OWN_BLOCKS.has(kind)
      ? undefined
      : { reason: "it is a device of the host, not a disk image", missing: false };
  }
  if (link.machine === null) {
    return pool === undefined ? { reason: "it is in no storage pool", missing: false } : undefined;
  }
  try {
    const info = await link.machine.files.lstat(plainPath(path));
    if (!info.isFile) return { reason: "it is not a regular file", missing: false };
    // Opened, not written to: tells a read-only file system and an immutable file, which would stop it half way.
    using _file = await link.machine.files.open(plainPath(path), { write: true });
    if (await isFolderClosed(path)) {
      return { reason: "its folder takes no change: it is read-only or immutable", missing: false };
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return gone;
    if (!isSystemError(error) && !isNotResponding(error)) throw error;
    return { reason: error.message, missing: false };
  }
}

/** A disk that deleting might mean; `no`: why it does not. */
interface Candidate {
  readonly disk: Disk;
  readonly place: Place;
  readonly no: string | undefined;
}

async function planDisk(
  host: LibvirtHost,
  vm: VM,
  { disk, place, no }: Candidate,
  users: ReadonlyMap<string, string> | string,
  above: (path: string) => Promise<Overlay | undefined>,
): Promise<PlannedDisk> {
  const { target, source = "" } = disk;
  // The pool's figures where the VM's own were not asked yet.
  const { capacityBytes = place.volume?.capacity, allocationBytes = place.volume?.allocation } = disk;
  const known = {
    target,
    ...(capacityBytes !== undefined && { capacityBytes }),
    ...(allocationBytes !== undefined && { allocationBytes }),
  };
  if (no !== undefined) {
    return {
      ...known,
      path: source,
      deletable: false,
      reason: no,
      hinders: disk.device === "disk" && disk.shareable,
    };
  }
  const at = { ...known, path: place.path, ...(place.pool !== undefined && { pool: place.pool }) };
  if (typeof users === "string") return { ...at, deletable: false, reason: users, hinders: true };
  const user = users.get(place.path) ?? users.get(source) ?? await host.keepers.of(place.path, vm.id);
  if (user !== undefined) {
    return { ...at, deletable: false, reason: message`it is also used by ${user}`, hinders: true };
  }
  const overlay = await above(place.path);
  if (overlay !== undefined) {
    const reason = `the volume ${overlay.name} of ${overlay.pool} is built on it`;
    return { ...at, deletable: false, reason, hinders: true };
  }
  const why = await undeletable(host, place, disk);
  const forGood = why === undefined && isBinOn(host)
    ? await unkeepable(host, { path: place.path, pool: place.pool ?? null })
    : undefined;
  return why === undefined
    ? { ...at, deletable: true, ...(forGood !== undefined && { forGood }), hinders: false }
    : { ...at, deletable: false, reason: why.reason, hinders: !why.missing && disk.type !== "block" };
}

/** Users of each path; the reason where they are not known because another VM's image cannot be read now. */
async function usersOf(
  host: LibvirtHost,
  paths: readonly string[],
  vms: readonly VM[],
): Promise<ReadonlyMap<string, string> | string> {
  try {
    // An overlay may lie in any pool
    const [pool] = await readKnownPools(host);
    let unread = pool === undefined ? undefined : unreadPoolText(pool, "the VM's disks");
    const users = await imageUsers(host, paths, vms, {
      unread: (path, { name }) => unread ??= unreadText(path, name),
    });
    return unread ?? users;
  } catch (error) {
    if (isNotResponding(error)) return error.message;
    throw error;
  }
}

/** An image of a VM as a disk of it. */
const diskAt = ({ target, path, format }: {
  readonly target: string;
  readonly path: string;
  readonly format?: string | undefined;
}): Disk => ({
  target,
  type: "file",
  source: path,
  bus: "",
  device: "disk",
  readOnly: false,
  shareable: false,
  ...(format !== undefined && { format }),
});

/** The images that external snapshots of a VM keep, as its disks: of no use without it. @throws {LibvirtError} */
async function keptImages(host: LibvirtHost, vm: VM): Promise<Disk[]> {
  return (await scan(host, vm)).flatMap(({ externalDisks }) => externalDisks).flatMap(
    ({ type, path, ...rest }) => type !== "file" || path === undefined ? [] : [diskAt({ path, ...rest })],
  );
}

/** The images that snapshots of a VM which were cut short have left on its disks, as its disks. */
const leftImages = ({ unusedOverlays }: LibvirtHost, { id }: VM): Disk[] =>
  (unusedOverlays?.of(id) ?? []).map(({ target, path }) => diskAt({ target, path, format: "qcow2" }));

/** Returns a lookup of the volume on an image that would be lost with it: one that is not deleted itself. */
async function othersAbove(
  host: LibvirtHost,
  going: readonly string[],
): Promise<(path: string) => Promise<Overlay | undefined>> {
  return await overlays(host, new Set(going));
}

/**
 * The disks of a VM that have a medium, and the images of its external snapshots, each with whether it can be
 * deleted.
 *
 * @param xml its stored configuration
 * @throws {LibvirtError}
 */
export async function planDisks(
  host: LibvirtHost,
  vm: VM,
  xml: string,
): Promise<PlannedDisk[]> {
  await host.unusedOverlays?.sweep(vm.id);
  const all = host.inventory.vms();
  const seed = ownSeed(xml, vm, all);
  const candidates = new Map<string, Candidate>();
  for (const disk of [...leftImages(host, vm), ...vm.disks, ...await keptImages(host, vm)]) {
    const { source } = disk;
    if (source === undefined || candidates.has(source)) continue;
    // The VM's own cloud-init CD holds its secrets, and is of no use to another VM.
    const no = source === seed ? undefined : unfit(disk);
    const nowhere = { path: source, pool: undefined, missing: false, volume: undefined };
    candidates.set(source, { disk, no, place: no === undefined ? await placeOf(host, disk) : nowhere });
  }
  const bases = await basesOf(host, [...candidates.values()], ownOrigins(xml));
  const own = [...candidates.values(), ...bases.filter(({ isOwn }) => isOwn)];
  const paths = own.flatMap(({ disk: { source }, place: { path } }) => [source!, path]);
  const others = bases.filter(({ isOwn }) => !isOwn);
  const users = await usersOf(
    host,
    [...paths, ...others.map(({ place: { path } }) => path)],
    all.filter(({ id }) => id !== vm.id),
  );
  const above = await othersAbove(host, paths);
  const planned: PlannedDisk[] = [];
  for (const candidate of candidates.values()) {
    planned.push(await planDisk(host, vm, candidate, users, above));
  }
  const goes = new Set(planned.filter(({ deletable }) => deletable).map(({ path }) => path));
  for (const base of bases) {
    if (!base.isOwn) {
      const { path } = base.place;
      const isNeeded = typeof users === "string" || users.has(path) ||
        await host.keepers.of(path, vm.id) !== undefined || await above(path) !== undefined;
      if (!isNeeded) planned.push(staying(base));
      continue;
    }
    // What others need of it stays, and hinders nothing; so does what lies below an image that stays
    const disk = { ...await planDisk(host, vm, base, users, above), hinders: false };
    const isBelow = base.above.some((path) => !goes.has(path));
    planned.push(disk.deletable && isBelow ? staying(base) : disk);
    if (disk.deletable && !isBelow) goes.add(disk.path);
  }
  return planned;
}

/** An image that a disk is built on and that is no disk of the VM. */
interface Base extends Candidate {
  /** The VM has written to it itself: it was its disk before. */
  readonly isOwn: boolean;
  /** Paths of the images above it, down from the disk. */
  readonly above: readonly string[];
}

/** It stays, and is of no use to the VM any more. Without a word it would be forgotten. */
const staying = ({ disk: { target }, place: { path, volume } }: Base): PlannedDisk => ({
  target,
  path,
  deletable: false,
  hinders: false,
  ...(volume && { pool: volume.pool, allocationBytes: volume.allocation }),
  reason: message`disk ${target} is built on it: delete it separately where nothing else needs it`,
});

/** The images that disks of a VM were before, as it remembers them: see `disk_origin.ts`. */
function ownOrigins(xml: string): ReadonlySet<string> {
  return new Set([...lineageIn(parseXml(xml)).values()].flat());
}

/** The images that disks are built on and that are no disks of the VM, those of each chain from above. */
async function basesOf(
  host: LibvirtHost,
  candidates: readonly Candidate[],
  origins: ReadonlySet<string>,
): Promise<Base[]> {
  const { machine } = host.link;
  if (machine === null) return [];
  const own = new Set(await resolvedPaths(machine, candidates.map(({ place: { path } }) => path)));
  const found = new Map<string, Base>();
  for (const { disk: { target, format }, place: { path }, no } of candidates) {
    if (no !== undefined || format !== "qcow2") continue;
    const above = [path];
    for (const base of await chainBelow(path)) {
      if (!found.has(base.path) && !own.has(await resolvedPath(machine, base.path))) {
        const disk = diskAt({ target, ...base }), origin = await imageOf({ type: "file", source: base.path });
        found.set(base.path, {
          disk,
          no: undefined,
          place: await placeOf(host, disk),
          above: [...above],
          isOwn: origin !== undefined && origins.has(origin),
        });
      }
      above.push(base.path);
    }
  }
  return [...found.values()];
}

async function chainBelow(path: string): Promise<readonly NamedImage[]> {
  try {
    return await backingImages(path);
  } catch (error) {
    if (!isSystemError(error) && !isNotResponding(error) && !(error instanceof ImageRefused)) throw error;
    log.debug("what a disk is built on cannot be read", { path, error });
    return [];
  }
}

/**
 * Everything that goes with a VM.
 *
 * @throws {ContractError} VmNotFound, and what any libvirt call may give
 */
export async function deletePlan(host: LibvirtHost, vmId: string): Promise<Unrendered<DeletePlan>> {
  const vm = host.requireVm(vmId);
  const xml = await host.link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  const [disks, keeps] = await Promise.all([
    planDisks(host, vm, xml),
    host.link.call("domainKeeps", { uuid: vm.id }),
  ]);
  const nvram = nvramOf(new XmlDocument(xml));
  return {
    vmId: vm.id,
    disks: disks.map(({ hinders: _, ...disk }) => disk),
    ...keeps,
    ...(nvram !== undefined && { nvram }),
    binDays: host.bin.policy.days,
  };
}

/** The first of some paths that a disk of the VM is built on which stays. */
export async function neededByRest(
  host: LibvirtHost,
  vm: VM,
  planned: readonly PlannedDisk[],
  going: readonly string[],
): Promise<string | undefined> {
  const targets = new Set(planned.filter(({ path }) => !going.includes(path)).map(({ target }) => target));
  const rest = vm.disks.filter(({ target, source }) =>
    targets.has(target) && source !== undefined && !going.includes(source)
  );
  const needed = await imageUsers(host, going, [{ ...vm, disks: rest }], { snapshots: false });
  return going.find((path) => needed.has(path));
}
