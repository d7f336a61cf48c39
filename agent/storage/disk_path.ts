/** Path and volume of a VM's disk, also if its definition names a pool and a volume instead of a path. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { findVolumeAt, findVolumeNamed, type LinkCaller, type PoolVolume } from "./volumes.ts";

/** The fields of a disk that say where it is. */
type DiskSource = { readonly type: string; readonly source?: string | undefined };

/** The pool and the volume that a disk of the type `volume` names. */
function namesOf(source: string): [pool: string, name: string] {
  const slash = source.indexOf("/");
  return [source.slice(0, slash), source.slice(slash + 1)];
}

/** The volume of this name; undefined where its pool is off, or is not (any more). @throws {LibvirtError} */
async function volumeInPool(link: LinkCaller, pool: string, name: string): Promise<PoolVolume | undefined> {
  try {
    return await findVolumeNamed(link, pool, name);
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.OPERATION_INVALID) return undefined;
    throw error;
  }
}

/**
 * The volume that a disk is; undefined where it is in no active pool, or the pool has not seen it yet.
 *
 * @throws {LibvirtError}
 */
export async function volumeOfDisk(
  link: LinkCaller,
  { type, source }: DiskSource,
): Promise<PoolVolume | undefined> {
  if (source === undefined) return undefined;
  if (type === "volume") return await volumeInPool(link, ...namesOf(source));
  return type === "file" || type === "block" ? await findVolumeAt(link, source) : undefined;
}

/** The folder of a pool that keeps files; undefined for others, and where there is none. @throws {LibvirtError} */
async function folderOf(link: LinkCaller, pool: string): Promise<string | undefined> {
  try {
    const { type, path } = describePool(await link.call("poolXml", { pool }));
    return PATH_TYPES.has(type) ? path : undefined;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_POOL) return undefined;
    throw error;
  }
}

/**
 * The path of a disk's image, or what else it is on; undefined where it has no medium, or its volume is nowhere. A
 * volume of a pool that is off, or has not seen the file yet, is at its name in the pool's folder.
 *
 * @throws {LibvirtError}
 */
export async function pathOfDisk(
  link: LinkCaller,
  { type, source }: DiskSource,
): Promise<string | undefined> {
  if (type !== "volume" || source === undefined) return source;
  const [pool, name] = namesOf(source);
  const known = await volumeInPool(link, pool, name);
  if (known !== undefined) return known.path;
  const folder = await folderOf(link, pool);
  return folder === undefined ? undefined : `${folder}/${name}`;
}

/** Whether a disk can be a file: its image has a format, and a head that can be read. */
export const mayBeFile = ({ type }: Pick<DiskSource, "type">): boolean =>
  type === "file" || type === "volume";
