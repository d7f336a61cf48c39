/** Volumes through libvirt's volume API: the one way disks come into being and go. */
import { plainPath } from "../machine/host_file.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import type { PoolRecord, VolumeRecord } from "../../ffi/calls/mod.ts";
import {
  folderPoolXml,
  type NewVolume,
  summarizePool,
  summarizeVolume,
  type VolumeSummary,
  volumeXml,
} from "../../lib/formats/xml/volume.ts";
import type { LibvirtLink } from "../libvirt/link.ts";

/** Passes calls to libvirt. */
export type LinkCaller = Pick<LibvirtLink, "call">;

/** A volume, with the pool it is in. Sizes in bytes. */
export interface PoolVolume extends VolumeSummary {
  readonly pool: string;
}

/** Name and folder of the pool that is made when there is none: those every tool for libvirt uses. */
const DEFAULT_POOL = { name: "default", path: "/var/lib/libvirt/images" } as const;
/** Kinds of pools that keep a disk as a file, so that it can be qcow2. */
const FILE_POOLS: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "gluster", "vstorage"]);
/** `virStoragePoolState` of a started pool. */
export const POOL_RUNNING = 2;

/** Parses a volume's record. @throws {XmlError} */
export const volumeOf = ({ pool, xml }: VolumeRecord): PoolVolume => ({ pool, ...summarizeVolume(xml) });

/** Passes what was looked for on, or undefined when libvirt says there is none. */
async function unlessMissing<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    if (
      error instanceof LibvirtError &&
      (error.code === VIR_ERR.NO_STORAGE_VOL || error.code === VIR_ERR.NO_STORAGE_POOL)
    ) return undefined;
    throw error;
  }
}

/** Every volume of a pool, as of its last refresh. @throws {LibvirtError} */
export async function volumesOf(link: LinkCaller, pool: string): Promise<PoolVolume[]> {
  return (await link.call("volumeScan", { pool })).map(volumeOf);
}

/** The volume at a path; undefined when no active pool knows it. @throws {LibvirtError} */
export async function findVolumeAt(link: LinkCaller, path: string): Promise<PoolVolume | undefined> {
  const record = await unlessMissing(link.call("volumeAt", { path }));
  return record && volumeOf(record);
}

/** The volume of this name in a pool; undefined when there is no such pool or volume. @throws {LibvirtError} */
export async function findVolumeNamed(
  link: LinkCaller,
  pool: string,
  name: string,
): Promise<PoolVolume | undefined> {
  const record = await unlessMissing(link.call("volumeNamed", { pool, name }));
  return record && volumeOf(record);
}

/** Whether a pool keeps files, so that its volumes have a format. @throws {LibvirtError} */
export async function keepsFiles(link: LinkCaller, pool: string): Promise<boolean> {
  return FILE_POOLS.has(summarizePool(await link.call("poolXml", { pool })).type);
}

/** Makes an empty volume. @throws {LibvirtError} code STORAGE_VOL_EXIST when the name is taken */
export async function createVolume(
  link: LinkCaller,
  pool: string,
  volume: NewVolume,
  preallocate = false,
): Promise<PoolVolume> {
  for (let tries = 1;; tries++) {
    try {
      return volumeOf(await link.call("volumeCreate", { pool, xml: volumeXml(volume), preallocate }));
    } catch (error) {
      if (!isTooBusy(error) || tries === MOST_TRIES) throw error;
    }
  }
}

/** How often an encrypted volume is tried on a busy host. */
const MOST_TRIES = 3;

/** qemu-img measures how long deriving LUKS's key takes, and gives up where it gets no time of a processor. */
const isTooBusy = (error: unknown): boolean =>
  error instanceof LibvirtError && /Unable to get accurate CPU usage/.test(error.message);

/**
 * Has libvirt make a volume with the content of the one at `source`. Format and chain are those libvirt reads from the
 * content: who asks for it has decided on them, and holds them.
 *
 * @throws {LibvirtError}
 */
export async function cloneVolume(
  link: LinkCaller,
  source: string,
  target: {
    readonly pool: string;
    readonly name: string;
    /** The copy's format; its source's by default. */
    readonly format?: string | undefined;
  },
): Promise<PoolVolume> {
  const { pool } = target;
  const original = volumeOf(await link.call("volumeAt", { path: source }));
  // Its pool spares libvirt looking through all of them
  const place = source.endsWith(`/${original.name}`)
    ? { path: source, pool: original.pool }
    : { path: source };
  return volumeOf(
    await link.call("volumeCopy", { pool, xml: volumeXml(copyTarget(original, target)), source: place }),
  );
}

/** Makes an overlay on an image, which keeps only what changes. @throws {LibvirtError} */
export async function linkVolume(
  link: LinkCaller,
  base: { readonly path: string; readonly format: string; readonly virtualBytes: number | null },
  { pool, name }: { readonly pool: string; readonly name: string },
): Promise<PoolVolume> {
  const { path, format } = base;
  const capacity = base.virtualBytes ?? volumeOf(await link.call("volumeAt", { path })).capacity;
  return await createVolume(link, pool, { name, capacity, format: "qcow2", backing: { path, format } });
}

/** The volume that is to hold a copy of another one, in the same format by default. */
export function copyTarget(
  { capacity, format: own }: Pick<PoolVolume, "capacity" | "format">,
  target: { readonly name: string; readonly format?: string | undefined },
): NewVolume {
  const format = "format" in target ? target.format : own === "iso" ? "raw" : own;
  // A volume group has no holes.
  return { name: target.name, capacity, format, allocation: format === undefined ? capacity : 0 };
}

/** Makes a raw volume that holds `bytes`. @throws {LibvirtError}; what is half written stays */
export async function uploadVolume(
  link: LinkCaller,
  pool: string,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PoolVolume> {
  const volume = await createVolume(link, pool, { name, capacity: bytes.length, format: "raw" });
  await link.call("volumeUpload", { path: volume.path, bytes });
  return volume;
}

/** Makes the volume at `path` larger, to `bytes`. @throws {LibvirtError} also when that is smaller than it is */
export async function resizeVolume(link: LinkCaller, path: string, bytes: number): Promise<void> {
  await link.call("volumeResize", { path, bytes });
}

/**
 * Deletes the volume at `path` that work of ours has made, which has no passphrase: any other goes by `deleteVolume`.
 *
 * @throws {LibvirtError} code NO_STORAGE_VOL when no active pool knows it
 */
export async function removeVolume(link: LinkCaller, path: string): Promise<void> {
  await link.call("volumeDelete", { path });
}

/**
 * Removes a volume that work of ours has made and not finished, also when its pool was stopped or removed meanwhile.
 *
 * @throws {LibvirtError}
 */
export async function removeMade(
  link: Pick<LibvirtLink, "call" | "machine">,
  { path, type }: PoolVolume,
): Promise<void> {
  try {
    await removeVolume(link, path);
  } catch (error) {
    const isUnknown = error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_VOL;
    if (!isUnknown || type !== "file" || !link.machine?.isSystem) throw error;
    await link.machine.files.remove(plainPath(path)).catch((gone) => {
      if (!(gone instanceof Deno.errors.NotFound)) throw gone;
    });
  }
}

/** Whether the volumes of a pool are files, so that they have a format. */
export const hasFormats = ({ xml }: PoolRecord): boolean => FILE_POOLS.has(summarizePool(xml).type);

/** The pool that disks go into by default, if there is one: `default`, else the first started one that keeps files. */
export function usualPool(pools: readonly PoolRecord[]): string | undefined {
  return pools.filter((pool) => pool.state === POOL_RUNNING && hasFormats(pool))
    .sort((a, b) => Number(b.name === DEFAULT_POOL.name) - Number(a.name === DEFAULT_POOL.name))[0]?.name;
}

/**
 * The pool that disks go into by default; made in `/var/lib/libvirt/images` when there is none at all.
 *
 * @throws {LibvirtError}
 */
export async function defaultPool(link: LinkCaller): Promise<string> {
  const pools = await link.call("poolScan");
  const usual = usualPool(pools);
  if (usual !== undefined) return usual;
  // A `default` that is off was stopped by somebody, who may have a reason: it is left alone.
  const taken = pools.some(({ name }) => name === DEFAULT_POOL.name);
  const name = taken ? "kvm-manager" : DEFAULT_POOL.name;
  const path = taken ? "/var/lib/libvirt/kvm-manager" : DEFAULT_POOL.path;
  await link.call("poolMake", { xml: folderPoolXml(name, path) });
  return name;
}
