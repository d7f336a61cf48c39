/**
 * Copying a volume as part of a job: libvirt has no call for how far a copy is, nor one that ends it. How far it is,
 * the growing volume's allocation tells; it is ended through the program that libvirt has copy. Raw content libvirt
 * copies by itself, so that it could only be waited for: on this host qemu-img does that instead.
 */
import type { JobHandle } from "../jobs/jobs.ts";
import { isLocal, isLocalSystem } from "../host/local.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import { canRunQemuImg, copyRaw } from "./qemu_img.ts";
import {
  cloneVolume,
  copyTarget,
  createVolume,
  removeMade,
  type Volume,
  volumeAt,
  volumeNamed,
} from "./volumes.ts";

/** Milliseconds between two looks at the copy. */
const LOOK_MS = 500;

/** What a copy is made of and where it goes. */
export interface VolumeCopy {
  readonly source: string;
  readonly pool: string;
  readonly name: string;
  /** The copy's format, undefined where the pool has none; its source's when nobody says. */
  readonly format?: string | undefined;
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
): Promise<Volume> {
  job.signal.throwIfAborted();
  const { source, pool, name } = copy;
  const { before, total } = share;
  const original = await volumeAt(link, source);
  if (
    original !== undefined && isLocalSystem(link.uri) && isRawCopy(original, copy) && await canRunQemuImg()
  ) {
    return await copyContent(link, original, copy, job, share);
  }
  // Whose volume it is must be known: what is ended or removed below is what this call has made.
  let isOver = false;
  const copying = cloneVolume(link, source, copy).finally(() => isOver = true);
  const look = async () => {
    while (!isOver) {
      await wait(LOOK_MS, copying);
      if (isOver) return;
      const growing = await volumeNamed(link, pool, name);
      if (growing === undefined) continue;
      job.progress(Math.min(total, before + growing.allocation), total);
      if (job.signal.aborted && isLocal(link.uri)) await endCopy(source, growing.path);
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

/** Formats whose content is the disk itself. */
const PLAIN: ReadonlySet<string | undefined> = new Set([undefined, "raw", "iso"]);

const isRawCopy = ({ type, format, encryption }: Volume, copy: VolumeCopy) =>
  (type === "file" || type === "block") && encryption?.secret === undefined && PLAIN.has(format) &&
  PLAIN.has("format" in copy ? copy.format : format);

/** Makes an empty volume and has qemu-img fill it; it is removed again when that fails or is ended. */
async function copyContent(
  link: LibvirtLink,
  original: Volume,
  { pool, ...target }: VolumeCopy,
  job: JobHandle,
  { before, total }: Share,
): Promise<Volume> {
  const made = await createVolume(link, pool, copyTarget(original, target));
  try {
    await copyRaw({
      source: original.path,
      target: made.path,
      isFile: made.type === "file",
      signal: job.signal,
      onShare: (share) => job.progress(Math.min(total, before + share * original.allocation), total),
    });
    return await volumeNamed(link, pool, made.name) ?? made;
  } catch (error) {
    await removeMade(link, made).catch((left) =>
      log.error("an unfinished copy could not be removed", { path: made.path, error: left })
    );
    throw error;
  }
}

/** Waits so long, or until something has ended in any way. */
async function wait(ms: number, ended: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const done = ended.then(() => {}, () => {});
  await Promise.race([done, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}

/**
 * Ends the qemu-img that libvirtd runs to copy `source` to `target`; libvirt then removes what it has written. A raw
 * volume copied to a raw one has none: libvirtd copies that itself, and it can only be waited for.
 */
async function endCopy(source: string, target: string): Promise<void> {
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid) || !await copies(pid, source, target)) continue;
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
  try {
    const words = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
    if (!words[0]?.endsWith("qemu-img") || words[1] !== "convert") return false;
    if (!words.includes(source) || !words.includes(target)) return false;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    return /^(libvirtd|virtstoraged)$/.test((await Deno.readTextFile(`/proc/${parent}/comm`)).trim());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    // ESRCH: it ended between the opening and the reading.
    log.debug("a process could not be looked at", { pid, error });
    return false;
  }
}
