/** The disks of a VM, copied into a store of backups: of a running VM through QEMU, of a stopped one from its images. */
import { checkpointName } from "../../lib/backup/checkpoint.ts";
import { type ChunkList, writeChunkList } from "../../lib/backup/chunk_list.ts";
import {
  type BackupManifest,
  type ManifestDisk,
  ManifestError,
  MOST_COPIED_BYTES,
} from "../../lib/backup/manifest.ts";
import { ContractError, type Disk, type VM } from "../../lib/contract/mod.ts";
import { tablesOf } from "../../lib/formats/qcow2/allocation.ts";
import { HEAD_BYTES, ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { plainPath, statFile } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { Steps } from "../operations/operation.ts";
import { type CheckedImage, checkImage, requireWish } from "../storage/disk_images/check.ts";
import { copyImage } from "../storage/qemu_img.ts";
import { holdWriters } from "../storage/volume_usage.ts";
import { planRead } from "./base.ts";
import { BackupChunkError, storeContent, type Stored, type Storing } from "./chunks.ts";
import type { CopyContext } from "./copy_context.ts";
import { digestOf } from "./digest.ts";
import { originOf } from "../storage/disk_origin.ts";
import { type FirmwareState, isSameFirmware, type ReadFirmwareState } from "./firmware_state.ts";
import { storeImage, storeIncrement } from "./increment.ts";
import type { Repository } from "./repository.ts";
import { copyRunning, spooled } from "./running_copy.ts";
import type { Spool } from "./spool.ts";
import { makeEmptyImage } from "./write_disk.ts";

/** A VM's content in the store. */
interface Content {
  readonly firmware: FirmwareState;
  readonly takenAt: number;
  readonly consistency: BackupManifest["consistency"];
  readonly notes: readonly string[];
  readonly disks: readonly (ManifestDisk & { readonly list: string })[];
  readonly storedBytes: number;
  readonly readBytes: number;
}

/** Makes the folder that disks are copied to first, with room for so many bytes. */
type SpoolFor = (needBytes: number) => Promise<Spool>;

/** Bytes of a disk that eight bytes of a qcow2 file stand for, also where they are zeros: a cluster. */
const CLUSTER_BYTES = 65_536;

/** Bytes that a copy of a disk takes on this host, as far as that is known: its content, and a qcow2 file's tables. */
export async function spoolBytes(
  { type, source, allocationBytes, capacityBytes = 0 }: Disk,
): Promise<number> {
  // What is known of a disk's size may be minutes old, and of a raw file libvirt tells how far it was written to, holes
  // included: the file system knows.
  const file = type === "file" && source !== undefined
    ? await undefinedIfMissing(statFile(source))
    : undefined;
  const content = typeof file?.blocks === "number" ? file.blocks * 512 : allocationBytes ?? capacityBytes;
  return content + Math.ceil(capacityBytes / CLUSTER_BYTES) * 8;
}

const WRITTEN_MEANWHILE =
  "Its UEFI variables or its TPM were written to just then: in the copy they may be a moment newer than its disks";

/** The size of a file or a device. */
async function sizeOf(path: string): Promise<number> {
  const file = await hostFiles.open(path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    return await file.seek(0, Deno.SeekMode.End);
  } finally {
    file.close();
  }
}

/** The changes could not be applied to the earlier copy: all must be read. */
export class IncrementError extends Error {
  override readonly name = "IncrementError";
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }

  /** The chunk of the copy before that is damaged. */
  get damaged(): string | undefined {
    return this.cause instanceof BackupChunkError ? this.cause.digest : undefined;
  }
}

/** A disk as the manifest has it. */
async function described(
  host: LibvirtHost,
  disk: Disk,
  bytes: number,
  chunks: ChunkList,
  image?: string,
): Promise<Content["disks"][number]> {
  const list = writeChunkList(chunks);
  const format = disk.format === "qcow2" ? "qcow2" : "raw";
  const digest = await digestOf(new TextEncoder().encode(list));
  const origin = (await originOf(host, disk))?.image;
  return {
    target: disk.target,
    format,
    bytes,
    chunks: digest,
    list,
    ...(image !== undefined && { image }),
    ...(origin !== undefined && { origin }),
  } as const;
}

/** Has a job's bytes counted: of each disk first what QEMU copies, then what is kept. */
class Count {
  #before = 0;
  constructor(readonly tell: (done: number) => void) {}
  readonly add = (done: number) => this.tell(this.#before + done);
  next(bytes: number): void {
    this.#before += bytes;
    this.tell(this.#before);
  }
}

export async function ofRunning(
  { host, repository, backup, job, clock, isFull, pace, onBytes }: CopyContext,
  vm: VM,
  disks: readonly Disk[],
  { spoolFor, id, steps, look }: {
    readonly spoolFor: SpoolFor;
    readonly id: string;
    readonly steps: Steps;
    readonly look: ReadFirmwareState;
  },
): Promise<Content> {
  const count = new Count(onBytes);
  if (disks.length === 0) {
    const none = { notes: [], disks: [], storedBytes: 0, readBytes: 0 };
    return { takenAt: clock.now(), consistency: "crash", firmware: await look(), ...none };
  }
  await look(); // what cannot be read is told before anything is copied
  const looks: PromiseSettledResult<FirmwareState>[] = [];
  const plan = await planRead(host, repository, { vm, backupId: backup.id, disks, isFull });
  const needed = await Promise.all(
    disks.filter(({ target }) => !plan.base?.disks.has(target)).map(spoolBytes),
  );
  const spool = await spoolFor(needed.reduce((sum, bytes) => sum + bytes, 0));
  const copied = await copyRunning({
    host,
    vm,
    disks,
    spool,
    steps,
    job,
    clock,
    plan,
    pace,
    checkpoint: checkpointName(backup.id, id),
    onBytes: count.add,
    onMoment: async () => void looks.push(...await Promise.allSettled([look()])),
  });
  const { takenAt, isFrozen, way, refusals } = copied;
  const [before, after] = looks.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  }) as [FirmwareState, FirmwareState];
  const notes = [...plan.notes, ...copied.notes, ...isSameFirmware(before, after) ? [] : [WRITTEN_MEANWHILE]];
  const why = refusals[0] ?? plan.reason;
  if (way.incremental.size === 0) job.log(message`${vmName(vm)}: its disks are read in full: ${why}`);
  else if (why !== "") job.log(message`${vmName(vm)}: some disks are read in full: ${why}`);
  const sizes = new Map<string, number>();
  for (const { target } of disks) {
    const size = () => virtualSizeOf(way.files.get(target)!);
    sizes.set(target, await (way.incremental.has(target) ? ofIncrement(size) : ofWhole(target, size)));
  }
  count.next([...sizes.values()].reduce((sum, bytes) => sum + bytes, 0));
  const found: Content["disks"][number][] = [];
  let storedBytes = 0, readBytes = 0, mostCopied = 0;
  for (const disk of disks) {
    const { target } = disk, path = way.files.get(target)!, bytes = sizes.get(target)!;
    const storing = { signal: job.signal, onBytes: count.add, pace };
    let chunks: ChunkList;
    if (way.incremental.has(target)) {
      const base = plan.base!.disks.get(target)!;
      const increment = await ofIncrement(() => storeIncrement(repository, path, { bytes, base }, storing));
      chunks = increment.chunks;
      storedBytes += increment.storedBytes;
      readBytes += increment.copiedBytes;
      mostCopied += increment.copiedBytes;
    } else {
      const whole = await ofWhole(target, () => storeImage(repository, path, bytes, storing));
      chunks = whole.chunks;
      storedBytes += whole.storedBytes;
      readBytes += whole.readBytes;
      mostCopied += Math.ceil(bytes / CLUSTER_BYTES) * CLUSTER_BYTES;
    }
    await hostFiles.remove(path);
    count.next(bytes);
    found.push(await described(host, disk, bytes, chunks, way.isNoted ? plan.noted.get(target) : undefined));
  }
  if (way.incremental.size > 0 && mostCopied < copied.doneBytes) {
    throw new IncrementError(
      new Error(`QEMU says that it copied ${copied.doneBytes} bytes, and ${mostCopied} were found`),
    );
  }
  await spool.remove();
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (way.incremental.size > 0) {
    const since = new Date(plan.base!.takenAt).toISOString().slice(0, 16).replace("T", " ");
    job.log(
      message`${vmName(vm)}: ${mib(readBytes)} of ${mib(all)} were read: what changed since ${since} UTC`,
    );
  }
  return {
    takenAt,
    consistency: isFrozen ? "frozen" : "crash",
    firmware: after,
    notes,
    disks: found,
    storedBytes,
    readBytes: Math.min(all, readBytes),
  };
}

const mib = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MiB`;

/** The size of the disk that a file which QEMU made is of. @throws {ImageError} */
export async function virtualSizeOf(path: string): Promise<number> {
  const file = await hostFiles.open(path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const { virtualBytes } = tablesOf(head.subarray(0, await file.read(head) ?? 0));
    // A guest may have taken QEMU over: as many chunks as it says are kept in memory.
    if (virtualBytes > MOST_COPIED_BYTES) throw new ImageError("the disk is larger than can be backed up");
    return virtualBytes;
  } finally {
    file.close();
  }
}

/** Works with the file that QEMU copied all of a disk to. @throws {ContractError} BackupFailed where it cannot be read */
async function ofWhole<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const reason = `what QEMU copied of disk ${target} cannot be read: ${error.message}`;
    throw new ContractError("BackupFailed", { error: reason }, { cause: error });
  }
}

/** @throws {IncrementError} for what a whole read can put right */
async function ofIncrement<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ImageError || error instanceof ManifestError) throw new IncrementError(error);
    throw error;
  }
}

/** Modification time and size of a file, as a key that changes with each write. */
export async function stateOf(path: string): Promise<string> {
  const { mtime, size } = await hostFiles.stat(path);
  return `${mtime?.getTime()} ${size}`;
}

/** Puts a disk that nothing changes into the store. @returns undefined for one that QEMU alone reads */
async function storeDirectly(
  repository: Repository,
  { path, format, backing }: CheckedImage,
  bytes: number,
  storing: Storing,
): Promise<Stored | undefined> {
  if (format === "raw") return await storeContent(repository, plainPath(path), bytes, storing);
  if (backing.length > 0) return undefined;
  try {
    return await storeImage(repository, plainPath(path), bytes, storing);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Nothing of a VM that is off changes while it is read: we do not start it meanwhile, and see whether others did. */
export async function ofStopped(
  { host, repository, job, clock, pace, onBytes }: CopyContext,
  vm: VM,
  disks: readonly Disk[],
  { spoolFor, look }: { readonly spoolFor: SpoolFor; readonly look: ReadFirmwareState },
): Promise<Content> {
  const count = new Count(onBytes), found: Content["disks"][number][] = [], takenAt = clock.now();
  let stored = 0, readBytes = 0, firmware!: FirmwareState;
  await host.claims.operate(vm, "backing up", async () => {
    if (host.inventory.active().includes(vm.id)) {
      throw new ContractError("BackupFailed", { error: "the VM was started just now" });
    }
    firmware = await look();
    using held = new DisposableStack();
    // One disk after the other: the largest one needs room.
    const needed = await Promise.all(disks.filter(({ format }) => format !== "raw").map(spoolBytes));
    let spool: Spool | undefined;
    for (const disk of disks) {
      const { source = "", target } = disk;
      if (disk.type === "network") {
        const reason = `disk ${target} is on the network, and can be backed up while the VM runs alone`;
        throw new ContractError("BackupNotPossible", { reason });
      }
      const wish = { ...requireWish(source), format: disk.format === "qcow2" ? "qcow2" : "raw" } as const;
      const image = await checkImage(host, wish, { purpose: "content", role: "administrator" }, held);
      if (image.secret !== undefined) {
        throw new ContractError("BackupNotPossible", { reason: message`disk ${target} is encrypted` });
      }
      const { volume } = image;
      if (volume !== undefined) await holdWriters(host, { ...image, volume }, held, vm.id);
      const path = plainPath(image.path), before = await stateOf(path);
      const bytes = image.format === "raw" ? await sizeOf(path) : image.virtualBytes ?? 0;
      const storing = { signal: job.signal, onBytes: count.add, pace };
      // What was read is kept at once: it counts twice.
      let kept = await storeDirectly(repository, image, bytes, {
        ...storing,
        onBytes: (done) => count.add(2 * done),
      });
      if (kept !== undefined) count.next(2 * bytes);
      else {
        spool ??= await spoolFor(Math.max(0, ...needed));
        const path = spooled(spool.path, target);
        await makeEmptyImage(path, bytes);
        await copyImage({
          source: image,
          target: path,
          format: "qcow2",
          isFile: true,
          signal: job.signal,
          bytesPerSecond: pace?.bytesPerSecond,
          onShare: (share) => count.add(share * bytes),
        });
        count.next(bytes);
        kept = await ofWhole(target, () => storeImage(repository, path, bytes, storing));
        await hostFiles.remove(path);
        count.next(bytes);
      }
      // libvirt starts it whatever we are doing.
      if (host.inventory.active().includes(vm.id) || await stateOf(path) !== before) {
        const error = `the VM was started, or disk ${target} was written to, while it was read`;
        throw new ContractError("BackupFailed", { error });
      }
      stored += kept.storedBytes;
      readBytes += kept.readBytes;
      found.push(await described(host, disk, bytes, kept.chunks));
    }
    await spool?.remove();
  });
  const isSaved = vm.state === "suspended";
  return {
    takenAt,
    consistency: isSaved ? "crash" : "stopped",
    firmware,
    notes: isSaved ? ["Its saved memory is not in it: the copy is as after a power failure"] : [],
    disks: found,
    storedBytes: stored,
    readBytes,
  };
}
