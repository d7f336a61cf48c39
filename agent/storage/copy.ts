/**
 * Copying a volume as part of a job: libvirt has no call for how far a copy is, nor one that ends it. How far
 * it is, the growing volume's allocation tells; it is ended through the program that libvirt has copy. It
 * also takes format and chain from the content. So on this host qemu-img is run directly, where this process
 * may write to the new volume. Where it may not, libvirt copies volumes without a backing image, and others
 * are refused.
 */
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { GIB } from "../../lib/text/byte_units.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import { argumentsOf, ofProcess, processes } from "../machine/processes.ts";
import type { CopySource } from "./copy_source.ts";
import { copyImage, hasQemuImg } from "./qemu_img.ts";
import {
  cloneVolume,
  copyTarget,
  createVolume,
  findVolumeNamed,
  type PoolVolume,
  removeMade,
  resizeVolume,
} from "./volumes.ts";
import { within } from "../within.ts";
import { message } from "../../lib/i18n/message.ts";

/** Milliseconds between two looks at the copy. */
const LOOK_MS = 500;

/** Source and target of a copy. */
export interface VolumeCopy {
  readonly source: CopySource | PoolVolume;
  readonly pool: string;
  readonly name: string;
  /** The copy's format, undefined where the pool has none; its source's by default. */
  readonly format?: string | undefined;
  /** The snapshot within the source that is copied; else what it is now. */
  readonly snapshot?: string | undefined;
}

/** Bytes of a whole job, of which this copy is a part. */
export interface Share {
  /** Copied before this one. */
  readonly before: number;
  /** Of all. */
  readonly total: number;
}

/**
 * Copies a volume, telling the job how far it is. When the job is cancelled, the copy is removed before this throws.
 *
 * @throws {LibvirtError} @throws {ContractError} JobCancelled
 */
export async function copyVolume(
  link: LibvirtLink,
  copy: VolumeCopy,
  job: JobHandle,
  share: Share,
): Promise<PoolVolume> {
  job.signal.throwIfAborted();
  const { source, pool, name } = copy;
  const { before, total } = share;
  if ("volume" in source && link.machine !== null) {
    const made = await copyContent(link, source, copy, job, share);
    if (made !== undefined) return made;
    requireNoChain(source, pool);
  }
  requireNow(copy);
  // libvirt takes the format from the content, which is as it was decided on: it is held.
  // Whose volume it is must be known: what is ended or removed below is what this call has made.
  let isOver = false;
  const copying = cloneVolume(link, source.path, copy).finally(() => isOver = true);
  const look = async () => {
    while (!isOver) {
      await within(LOOK_MS, copying.then(() => {}, () => {}));
      if (isOver) return;
      const growing = await findVolumeNamed(link, pool, name);
      if (growing === undefined) continue;
      job.progress(Math.min(total, before + growing.allocation), total);
      if (job.signal.aborted && link.machine !== null) await endCopy(source.path, growing.path);
    }
  };
  const looking = look().catch((error) => log.debug("how far a copy is cannot be told", { name, error }));
  try {
    const volume = await copying;
    if (job.signal.aborted) await removeMade(link, volume);
    job.signal.throwIfAborted();
    return volume;
  } finally {
    await looking;
  }
}

/**
 * Copies an image, and makes the copy as large as was asked for.
 *
 * @param sizeGb GiB; the copy is no smaller than its source @throws as {@link copyVolume}
 */
export async function copyEnlarged(
  link: LibvirtLink,
  copy: VolumeCopy & { readonly source: CopySource },
  sizeGb: number | undefined,
  job: JobHandle,
): Promise<PoolVolume> {
  const { source, pool, name } = copy, capacity = (sizeGb ?? 0) * GIB;
  job.log(message`Copying ${source.path} to ${pool}/${name}`);
  const made = await copyVolume(link, copy, job, { before: 0, total: source.volume.allocation });
  if (capacity <= made.capacity) return made;
  job.log(message`Making it larger: ${sizeGb} GiB`);
  await resizeVolume(link, made.path, capacity);
  return { ...made, capacity };
}

/** libvirt's qemu-img would open what the header names. @throws {ContractError} DiskRefused */
function requireNoChain({ path, backing: [base] }: CopySource, pool: string): void {
  if (base === undefined) return;
  const reason =
    `it is built on ${base.path}, and such an image is copied only where KVM Manager may write ` +
    `to the pool ${pool} itself: ReadWritePaths= of the unit allows it, see docs/disk-images.md`;
  throw new ContractError("DiskRefused", { path, reason });
}

/** libvirt copies what an image is now. @throws {ContractError} DiskRefused */
function requireNow({ source: { path }, snapshot, pool }: VolumeCopy): void {
  if (snapshot === undefined) return;
  const reason =
    `a snapshot is copied only by qemu-img on this host, where KVM Manager may write to the pool ${pool} ` +
    "itself: ReadWritePaths= of the unit allows it, see docs/disk-images.md";
  throw new ContractError("DiskRefused", { path, reason });
}

/** Whether this process may write to a volume: the sandbox of the service lets it write to few folders. */
export async function isWritable({ path }: PoolVolume): Promise<boolean> {
  try {
    using _file = await hostFiles.open(plainPath(path), { write: true });
    return true;
  } catch (error) {
    log.debug("libvirt is to fill a volume that cannot be written to from here", { path, error });
    return false;
  }
}

/**
 * Makes an empty volume and has qemu-img fill it; it is removed again when that fails or is ended.
 *
 * @returns undefined when this process can not do that
 */
async function copyContent(
  link: LibvirtLink,
  source: CopySource,
  { pool, snapshot, ...target }: VolumeCopy,
  job: JobHandle,
  { before, total }: Share,
): Promise<PoolVolume | undefined> {
  if (!await hasQemuImg()) return undefined;
  const { format, virtualBytes, volume: { capacity, allocation } } = source;
  const wanted = copyTarget({ format, capacity: virtualBytes ?? capacity }, target);
  const made = await createVolume(link, pool, wanted);
  try {
    if (!await isWritable(made)) {
      await removeMade(link, made);
      return undefined;
    }
    await copyImage({
      source,
      target: made.path,
      format: wanted.format === "qcow2" ? "qcow2" : "raw",
      isFile: made.type === "file",
      snapshot,
      signal: job.signal,
      onShare: (share) => job.progress(Math.min(total, before + share * allocation), total),
    });
    return await findVolumeNamed(link, pool, made.name) ?? made;
  } catch (error) {
    await removeMade(link, made).catch((left) =>
      log.error("an unfinished copy could not be removed", { path: made.path, error: left })
    );
    throw error;
  }
}

/**
 * Ends the qemu-img that libvirtd runs to copy `source` to `target`; libvirt then removes what it has written. A raw
 * volume copied to a raw one has none: libvirtd copies that itself, and it can only be waited for.
 */
async function endCopy(source: string, target: string): Promise<void> {
  for await (const pid of processes()) {
    if (!await copies(pid, source, target)) continue;
    try {
      Deno.kill(Number(pid), "SIGTERM");
    } catch (error) {
      // Not ours to end, or gone: the copy is waited for.
      log.debug("a copy could not be ended", { pid, error });
    }
  }
}

/** Whether a process is libvirt's qemu-img with these two files. It may end while it is looked at. */
async function copies(pid: string, source: string, target: string): Promise<boolean> {
  const words = await argumentsOf(pid);
  if (!words[0]?.endsWith("qemu-img") || words[1] !== "convert") return false;
  if (!words.includes(source) || !words.includes(target)) return false;
  return await ofProcess(pid, async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    return /^(libvirtd|virtstoraged)$/.test((await Deno.readTextFile(`/proc/${parent}/comm`)).trim());
  }) ?? false;
}
