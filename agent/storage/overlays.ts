/** Volumes that are built on others, in every pool that can be read, and in those that are stopped. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { isSystemError } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { resolvedByFolder, resolvedPath } from "../machine/resolved_path.ts";
import { SharedTime } from "../within.ts";
import { backingOf } from "./disk_images/backing.ts";
import { ImageRefused } from "./disk_images/chain.ts";
import { isActivePool } from "./shared.ts";
import type { PoolVolume } from "./volumes.ts";

/** Milliseconds that a look at pools may take where an answer is not worth more: one that hangs keeps no VM off. */
const POOLS_MS = 1000;
/** Files of a stopped pool's folder whose heads are read, and how many at once. */
const MOST_HEADS = 5000, AT_ONCE = 16;

/** Errors that libvirt reports about a pool that was deleted or stopped since it was listed. */
const GONE: ReadonlySet<number> = new Set([VIR_ERR.NO_STORAGE_POOL, VIR_ERR.OPERATION_INVALID]);

/** A volume that is built on another. */
export type Overlay = Pick<PoolVolume, "pool" | "name" | "path"> & {
  /** Path of what it is built on. */
  readonly base: string;
};

/**
 * Reads the volumes of pools that were not read yet: they would look like none.
 *
 * @param names all of them when left out; one that is gone or stopped has none @throws {LibvirtError}
 */
export async function readUnreadPools(
  { inventory: { storage } }: LibvirtHost,
  names?: Iterable<string>,
): Promise<void> {
  const wanted = names && new Set(names);
  for (const record of storage.records()) {
    if (!isActivePool(record) || !(wanted?.has(record.name) ?? true)) continue;
    await storage.volumes(record.name).catch((error) => {
      if (!(error instanceof LibvirtError) || !GONE.has(error.code)) throw error;
    });
  }
}

/** The active pools of which nothing is known. */
const unreadPools = ({ inventory: { storage } }: LibvirtHost): string[] =>
  storage.records().filter(isActivePool).map(({ name }) => name).filter((name) =>
    storage.peek(name) === undefined
  );

/**
 * Reads the pools that were not read yet, as far as that takes a moment: before a disk is written to, where a pool
 * that does not respond is no reason to wait. What is left unread is in the log.
 */
export async function readPoolsSoon(host: LibvirtHost): Promise<void> {
  const { storage } = host.inventory, time = new SharedTime(POOLS_MS);
  const reading = async (name: string, work: Promise<unknown>) => {
    try {
      await time.of(name, work);
    } catch (error) {
      log.debug("storage pools cannot be read now", { error });
      time.unanswered.add(name);
    }
  };
  if (!storage.isKnown) await reading("all", storage.refresh());
  await Promise.all(unreadPools(host).map((name) => reading(name, storage.volumes(name))));
  if (time.unanswered.size === 0) return;
  const pools = [...time.unanswered].join(", ");
  log.warn("whether a volume is built on a disk is not known in full: storage pools cannot be read", {
    pools,
  });
}

/** Result of reading a file's head, valid as long as it is the same file with the same content. */
interface ReadHead {
  readonly file: string;
  /** Undefined where it is on nothing. */
  readonly base: string | undefined;
}
/** By path. Forgotten whole where they are very many. */
const heads = new Map<string, ReadHead>();
const MOST_KEPT_HEADS = 50_000;

/**
 * Backing image by an image's own head; undefined if it has none, or is no image.
 *
 * @throws {Error} when it cannot be read
 */
async function baseOf(path: string): Promise<string | undefined> {
  const { ino, size, mtime } = await hostFiles.stat(plainPath(path)),
    file = `${ino} ${size} ${mtime?.getTime()}`;
  const known = heads.get(path);
  if (known?.file === file) return known.base;
  const base = await backingOf(path).then((nearest) => nearest?.path, (error) => {
    // A head that says what cannot be is never opened for a guest
    if (error instanceof ImageRefused) return undefined;
    throw error;
  });
  if (heads.size >= MOST_KEPT_HEADS) heads.clear();
  heads.set(path, { file, base });
  return base;
}

/** The files in a folder; undefined where it cannot be read. */
async function filesIn(folder: string): Promise<string[] | undefined> {
  try {
    return (await hostFiles.readDir(plainPath(folder))).filter(({ isFile, isSymlink }) => isFile || isSymlink)
      .map(({ name }) => name);
  } catch (error) {
    if (!isSystemError(error) && !isNotResponding(error)) throw error;
    log.debug("the folder of a stopped storage pool cannot be read", { folder, error });
    return undefined;
  }
}

/** Reads the heads of the files in a pool's folder; `unread`: the names of those that could not be read. */
async function readHeads(
  pool: string,
  folder: string,
  names: readonly string[],
): Promise<{ found: Overlay[]; unread: string[] }> {
  const found: Overlay[] = [], unread = names.slice(MOST_HEADS);
  if (unread.length > 0) log.warn("a stopped storage pool has too many files to look at", { pool });
  await forEachConcurrent(AT_ONCE, names.slice(0, MOST_HEADS), async (name) => {
    const path = `${folder}/${name}`;
    try {
      const base = await baseOf(path);
      if (base !== undefined) found.push({ pool, name, path, base });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (!isSystemError(error) && !isNotResponding(error)) throw error;
      log.debug("what an image of a stopped pool is built on cannot be read", { path, error });
      unread.push(name);
    }
  });
  return { found, unread };
}

/** Types of pools whose folder has their volumes while they are stopped, too, where it is there at all. */
const FOLDER_TYPES: ReadonlySet<string> = new Set(["dir", "fs", "netfs"]);

/** As an overlay, of a volume that is one. */
const overlayOf = ({ pool, name, path, backing }: PoolVolume): Overlay[] =>
  backing === undefined ? [] : [{ pool, name, path, base: backing.path }];

/** Overlays in pools that are stopped or forgotten, as they were read last. */
export const rememberedOverlays = ({ inventory: { storage } }: LibvirtHost): Overlay[] =>
  storage.leftOverlays().flatMap(overlayOf);

/** Overlays in pools that are stopped or forgotten. */
interface LeftPools {
  readonly overlays: readonly Overlay[];
  /** Pools with a file whose head cannot be read, and of which nothing is remembered. */
  readonly unread: readonly string[];
}

/** A stopped pool as its folder shows it. */
interface StoppedPool {
  readonly pool: string;
  readonly found: readonly Overlay[];
  /** Names of files in it of which is known what they are built on; undefined: every name is. */
  readonly read: ReadonlySet<string> | undefined;
  readonly unread: readonly string[];
}

/** Undefined where its folder cannot be seen. */
async function stoppedPool({ name: pool, xml }: PoolRecord): Promise<StoppedPool | undefined> {
  const { type, path } = describePool(xml);
  if (path === undefined || !FOLDER_TYPES.has(type)) return undefined;
  const names = await filesIn(path);
  if (names === undefined) return undefined;
  const { found, unread } = await readHeads(pool, path, names);
  // The folder that a file system is mounted on is there without it
  const isWhole = type === "dir" && unread.length === 0;
  return { pool, found, unread, read: isWhole ? undefined : new Set(names).difference(new Set(unread)) };
}

/**
 * Overlays in pools that are stopped or forgotten: by the heads of the files in their folders, and for files
 * that cannot be read now as they were read last.
 */
async function leftPools(host: LibvirtHost): Promise<LeftPools> {
  const { inventory: { storage }, machine } = host, remembered = rememberedOverlays(host);
  if (machine === null) return { overlays: remembered, unread: [] };
  const records = storage.records();
  const stopped = new Map(
    (await Promise.all(records.filter((record) => !isActivePool(record)).map(stoppedPool)))
      .flatMap((each) => each === undefined ? [] : [[each.pool, each] as const]),
  );
  const unseen = remembered.filter(({ pool, name }) => {
    const known = stopped.get(pool);
    return known === undefined || (known.read !== undefined && !known.read.has(name));
  });
  const kept = await Promise.all(unseen.map(async (each): Promise<Overlay[]> => {
    try {
      const base = await baseOf(each.path);
      return base === undefined ? [] : [{ ...each, base }];
    } catch (error) {
      if (!isSystemError(error) && !isNotResponding(error)) throw error;
      // A pool that is forgotten has no folder that comes back: its file is there, or gone
      const isGone = error instanceof Deno.errors.NotFound && !records.some(({ name }) => name === each.pool);
      return isGone ? [] : [each];
    }
  }));
  const unread = [...stopped.values()].filter(({ pool, unread }) =>
    unread.some((name) => !remembered.some((each) => each.pool === pool && each.name === name))
  );
  return {
    overlays: [...[...stopped.values()].flatMap(({ found }) => found), ...kept.flat()],
    unread: unread.map(({ pool }) => pool),
  };
}

/** Overlays in pools that are stopped or forgotten, as far as they can be read. */
export const leftOverlays = async (host: LibvirtHost): Promise<readonly Overlay[]> =>
  (await leftPools(host)).overlays;

/** Reads that are under way, by host. */
const underWay = new WeakMap<LibvirtHost, Promise<readonly Overlay[]>>();

/** As {@link leftOverlays}, by a read that may have begun before: many starts at once wait for one. */
export function leftOverlaysSoon(host: LibvirtHost): Promise<readonly Overlay[]> {
  let work = underWay.get(host);
  if (work === undefined) {
    work = leftOverlays(host).finally(() => underWay.delete(host));
    underWay.set(host, work);
  }
  return work;
}

/**
 * Returns a function that finds the one of {@link leftOverlays} that is built on a path. Active pools count
 * as read or to be read: after a connection was lost, their remembered overlays may have been merged
 * meanwhile.
 */
export async function leftOn(host: LibvirtHost): Promise<(path: string) => Promise<Overlay | undefined>> {
  const { machine, inventory: { storage } } = host;
  const active = new Set(storage.records().filter(isActivePool).map(({ name }) => name));
  const all = (await leftOverlays(host)).filter(({ pool }) => !active.has(pool));
  const at = await resolvedByFolder(machine, all.map(({ base }) => base));
  return async (path) => {
    if (all.length === 0) return undefined;
    const real = await resolvedPath(machine, path);
    return all.find(({ base }) => at(base) === real);
  };
}

/**
 * Returns a function that finds the volume that is built on a path, by the records of the pools.
 *
 * @param own paths of volumes that do not count
 */
export async function overlays(
  host: LibvirtHost,
  own: ReadonlySet<string> = new Set(),
): Promise<(path: string) => Promise<Overlay | undefined>> {
  const { inventory, machine } = host;
  const all = [...inventory.storage.known().flatMap(overlayOf), ...await leftOverlays(host)];
  const at = await resolvedByFolder(machine, [...own, ...all.flatMap(({ path, base }) => [path, base])]);
  const byBase = new Map<string, Overlay>(), left = new Set([...own].map(at));
  for (const overlay of all) if (!left.has(at(overlay.path))) byBase.set(at(overlay.base), overlay);
  return async (path) => byBase.get(await resolvedPath(machine, path));
}

/** Why nothing goes that an image in a pool may be built on. */
export const unreadPoolText = (pool: string, what: string): string =>
  `the storage pool ${pool} cannot be read, so images in it that are built on ${what} ` +
  "cannot be ruled out; stop that pool, or repair its server";

/**
 * Reads the pools that can be read now: those there are, and what is built on a volume in any of them.
 *
 * @returns the active pools of which nothing is known, as what is in them was never read, and stopped ones with images that
 * cannot be read
 */
export async function readKnownPools(host: LibvirtHost): Promise<string[]> {
  const refresh = () =>
    host.inventory.storage.refresh().catch((error) =>
      log.debug("the storage pools cannot be read now", { error })
    );
  await refresh();
  for (const { name } of host.inventory.storage.records().filter(isActivePool)) {
    await readUnreadPools(host, [name]).catch((error) =>
      log.debug("what is in a storage pool is not known", { pool: name, error })
    );
  }
  // A pool that was removed or stopped meanwhile has nothing that would be read
  if (unreadPools(host).length > 0) await refresh();
  return [...unreadPools(host), ...(await leftPools(host)).unread];
}
