/** Converting a disk of an archive, where it lies, into a new volume. */
import { ContractError } from "../../../lib/contract/mod.ts";
import { plainPath } from "../../host_file.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import { isWritable } from "../../storage/copy.ts";
import { copyImage, hasQemuImg } from "../../storage/qemu_img.ts";
import { copyTarget, createVolume, type Volume } from "../../storage/volumes.ts";
import type { Host } from "../../hosts/host.ts";
import type { ArchivedDisk } from "./inspect.ts";

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

/** @throws {ContractError} DiskRefused where the service's sandbox does not let it write */
export async function requireOurs({ path, pool }: Volume): Promise<void> {
  if (await isWritable({ path } as Volume)) return;
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

  constructor(job: JobHandle, target: Volume, packedBytes: number) {
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

  async #look({ path, type }: Volume, packedBytes: number): Promise<void> {
    if (type !== "file") return;
    const { blocks } = await Deno.stat(plainPath(path));
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

/** What is converted, and where to. */
export interface Conversion {
  /** The archive. */
  readonly path: string;
  readonly disk: ArchivedDisk;
  readonly pool: string;
  readonly name: string;
  /** Undefined where the pool keeps no files. */
  readonly format: "qcow2" | "raw" | undefined;
}

/**
 * Makes a volume with what a guest sees of a disk. Whoever asks has written the volume down as a step, and removes it.
 *
 * @throws {ContractError} DiskRefused, ImageTooLarge, JobCancelled @throws {LibvirtError} @throws {ToolError}
 */
export async function convertDisk(
  { link }: Host,
  { path, disk, pool, name, format }: Conversion,
  job: JobHandle,
  onShare: (share: number) => void,
): Promise<Volume> {
  const { entry: { offset, size }, virtualBytes } = disk;
  const capacity = Math.ceil(virtualBytes / SECTOR) * SECTOR;
  const made = await createVolume(link, pool, copyTarget({ capacity, format }, { name, format }));
  await requireOurs(made);
  using guard = new Guard(job, made, size);
  await copyImage({
    source: { path, type: "file", format: disk.format, part: { offset, size }, backing: [] },
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
