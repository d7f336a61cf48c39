/** Disks as other hypervisors write them: judged, and converted where they lie into a new volume. */
import { ContractError, type ImagePolicy } from "../../lib/contract/mod.ts";
import {
  type ArrivingDisk,
  type ArrivingFormat,
  type ImageSource,
  readArriving,
} from "../../lib/formats/foreign/mod.ts";
import { ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { GIB } from "../../lib/text/byte_units.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { isWritable } from "./copy.ts";
import { copyImage, hasQemuImg, type ImageNode } from "./qemu_img.ts";
import { copyTarget, createVolume, type PoolVolume } from "./volumes.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** How much more than it was packed a disk may become, and from which size on that is looked at. */
const MOST_EXPANSION = 250, EXPANSION_FROM = 256 * 1024 ** 2;
/** Milliseconds between two looks at how large it has become. */
const LOOK_MS = 1000;
/** Milliseconds in which a conversion must come further. */
const STALL_MS = 30 * 60_000;
const SECTOR = 512;

/** @throws {ContractError} NotOnThisHost */
export async function requireQemuImg(what: string): Promise<void> {
  if (await hasQemuImg()) return;
  throw new ContractError("NotOnThisHost", { what, reason: "the program qemu-img is not installed" });
}

/**
 * Judges a disk by its head.
 *
 * @param said the format that the sender declared
 * @param what its name in errors
 * @throws {ContractError} DiskRefused, ImageTooLarge
 */
export async function judgeArriving(
  source: ImageSource,
  said: ArrivingFormat | undefined,
  what: string,
  { maxVirtualGb }: Pick<ImagePolicy, "maxVirtualGb">,
): Promise<ArrivingDisk> {
  try {
    const disk = await readArriving(source, said);
    if (disk.virtualBytes <= maxVirtualGb * GIB) return disk;
    const gib = Math.floor(disk.virtualBytes / GIB);
    const reason = `a guest would see ${gib} GiB of ${what}, allowed are ${maxVirtualGb}`;
    throw new ContractError("ImageTooLarge", { reason });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ContractError("DiskRefused", { path: what, reason: error.message }, { cause: error });
  }
}

/** @throws {ContractError} DiskRefused where the service's sandbox does not let it write */
export async function requireOurs({ path, pool }: PoolVolume): Promise<void> {
  if (await isWritable({ path } as PoolVolume)) return;
  const reason =
    `KVM Manager may not write to the pool ${pool} itself: ReadWritePaths= of the unit allows it, ` +
    "see docs/disk-images.md";
  throw new ContractError("DiskRefused", { path, reason });
}

/** Ends a conversion that grows beyond bounds or stands still. */
class Guard implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly signal: AbortSignal;
  #last = performance.now();

  constructor(job: JobHandle, target: PoolVolume, packedBytes: number) {
    this.signal = AbortSignal.any([job.signal, this.#abort.signal]);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#last > STALL_MS) {
        this.#abort.abort(new ContractError("ImportFailed", { error: "the conversion stands still" }));
      }
      this.#look(target, packedBytes).catch((error) =>
        log.debug("a growing volume cannot be looked at", { path: target.path, error })
      );
    }, LOOK_MS);
  }

  async #look({ path, type }: PoolVolume, packedBytes: number): Promise<void> {
    if (type !== "file") return;
    const { blocks } = await hostFiles.stat(plainPath(path));
    const written = (blocks ?? 0) * SECTOR;
    if (written <= EXPANSION_FROM || written <= packedBytes * MOST_EXPANSION) return;
    const reason = `it unpacks to more than ${MOST_EXPANSION} times its size`;
    this.#abort.abort(new ContractError("ImageTooLarge", { reason }));
  }

  /** It came further. */
  moved(): void {
    this.#last = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Pool and name that a disk is converted to. */
export interface ConversionTarget {
  readonly pool: string;
  readonly name: string;
  /** Undefined where the pool keeps no files. */
  readonly format: "qcow2" | "raw" | undefined;
}

/** A source and the target it is converted to. */
export interface Conversion extends ConversionTarget {
  /** The file that it is, or lies in. */
  readonly path: string;
  readonly disk: ArrivingDisk;
  /** Its part of the file, in bytes. */
  readonly part: { readonly offset: number; readonly size: number };
}

/** An image that is converted, and where to. */
export interface ImageConversion extends ConversionTarget {
  readonly source: ImageNode;
  /** Size that a guest sees, in bytes. */
  readonly virtualBytes: number;
  /** Size of its files, in bytes. */
  readonly packedBytes: number;
}

/**
 * Makes a volume with what a guest sees of a disk. Whoever asks has written the volume down as a step, and removes it.
 *
 * @throws {ContractError} DiskRefused, ImageTooLarge, JobCancelled @throws {LibvirtError} @throws {ToolError}
 */
export async function convertImage(
  { link }: LibvirtHost,
  { source, virtualBytes, packedBytes, pool, name, format }: ImageConversion,
  job: JobHandle,
  onShare: (share: number) => void,
): Promise<PoolVolume> {
  const capacity = Math.ceil(virtualBytes / SECTOR) * SECTOR;
  const made = await createVolume(link, pool, copyTarget({ capacity, format }, { name, format }));
  await requireOurs(made);
  using guard = new Guard(job, made, packedBytes);
  await copyImage({
    source,
    target: made.path,
    format: format ?? "raw",
    isFile: made.type === "file",
    signal: guard.signal,
    onShare: (share) => {
      guard.moved();
      onShare(share);
    },
  });
  return made;
}

/** As {@link convertImage}, for a disk that was judged and lies in a file, or in a part of one. */
export const convertDisk = (
  host: LibvirtHost,
  { path, disk: { format, virtualBytes }, part: { offset, size }, ...target }: Conversion,
  job: JobHandle,
  onShare: (share: number) => void,
): Promise<PoolVolume> =>
  convertImage(
    host,
    {
      ...target,
      source: { path, type: "file", format, part: { offset, size }, backing: [] },
      virtualBytes,
      packedBytes: size,
    },
    job,
    onShare,
  );
