/** One VM into a store of backups: its definition, its UEFI variables, its TPM's state, its disks. Whole, or not at all. */
import { sentenceOf } from "../../lib/contract/errors.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import { Buffer } from "node:buffer";
import { type ChunkList, digestsIn, writeChunkList } from "../../lib/backup/chunk_list.ts";
import {
  type BackupManifest,
  CHUNK_BYTES,
  copyIdAt,
  MANIFEST_VERSION,
  type ManifestDisk,
  ManifestError,
  MOST_COPIED_BYTES,
} from "../../lib/backup/manifest.ts";
import { checkpointName } from "../../lib/backup/checkpoint.ts";
import { disksToCopy } from "../../lib/backup/disks.ts";
import { ContractError, type Disk, type VM } from "../../lib/contract/mod.ts";
import { tablesOf } from "../../lib/formats/qcow2/allocation.ts";
import { HEAD_BYTES, ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { encryptedDisks } from "../../lib/formats/xml/backup.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { nvramPaths } from "../../lib/formats/xml/nvram.ts";
import { tpmSecret } from "../../lib/formats/xml/tpm.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Clock } from "../clock.ts";
import { openFile, plainPath, statFile } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { log } from "../log.ts";
import type { Steps } from "../operations/operation.ts";
import { keyOf } from "../operations/step.ts";
import { type CheckedImage, checkImage, requireWish } from "../storage/disk_images/check.ts";
import { copyImage } from "../storage/qemu_img.ts";
import { holdWriters } from "../storage/volume_usage.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { unknownImageText } from "../vm/snapshots/next_start.ts";
import { readTpmState, type TpmState } from "../vm/lifecycle/tpm_state.ts";
import { planRead } from "./base.ts";
import { originOf } from "../storage/disk_origin.ts";
import { BackupChunkError, storeContent, type Stored, type Storing } from "./chunks.ts";
import { digestOf } from "./digest.ts";
import type { Pace } from "../pace.ts";
import { storeImage, storeIncrement } from "./increment.ts";
import type { StoredBackup, StoredBackupRun } from "./records.ts";
import type { Repository } from "./repository.ts";
import { copyRunning, spooled } from "./running_copy.ts";
import { makeSpool, type Spool } from "./spool.ts";
import { makeEmptyImage } from "./write_disk.ts";

/** What a copy is part of. */
export interface CopyContext {
  readonly host: LibvirtHost;
  readonly repository: Repository;
  readonly backup: Pick<StoredBackup, "id" | "name">;
  readonly run: Pick<StoredBackupRun, "id" | "startedAt" | "actor">;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
  /** Where KVM Manager keeps what it knows. */
  readonly stateDir: string;
  /** Reads disks in full, also where only what changed could be read. */
  readonly isFull: boolean;
  /** How fast content may be read. */
  readonly pace?: Pace | undefined;
  /** Told how many bytes of disks were copied and kept, each of which counts. */
  readonly onBytes: (done: number) => void;
}

/** A copy that is whole, and what is worth knowing of it. */
export interface Copied {
  readonly manifest: BackupManifest;
  readonly notes: readonly string[];
}

/** What libvirt keeps of a VM in addition to its disks. */
interface BesideDisks {
  /** Its UEFI variables, where it has any. */
  readonly nvram: Uint8Array<ArrayBuffer> | undefined;
  readonly tpm: TpmState | undefined;
}

/** Reads that. */
type LookBeside = () => Promise<BesideDisks>;

/** What is known of a VM's content once it is in the store. */
interface Content {
  readonly beside: BesideDisks;
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

const encode = (text: string) => new TextEncoder().encode(text);

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

/**
 * Copies a VM.
 *
 * @throws {ContractError} VmNotFound, VmBusy, BackupNotPossible, BackupFailed, what the decision on its images says
 */
export async function copyVm(context: CopyContext, vmId: string): Promise<Copied> {
  const { host, repository, clock } = context;
  const vm = host.requireVm(vmId);
  if (!vm.persistent) {
    throw new ContractError("BackupNotPossible", {
      reason: "it is transient: it disappears when it stops",
    });
  }
  if (host.link.machine === null) {
    throw new ContractError("BackupNotPossible", {
      reason: "KVM Manager has no access to the files of its host",
    });
  }
  const attempt = async (isFull: boolean) => {
    const id = copyIdAt(clock.now(), crypto.randomUUID().slice(0, 8));
    try {
      const keys = [keyOf.backupCopy(id)], { actor } = context.run;
      const spec = { command: "run_backup_now", subject: vm.name, vmId: vm.id, actor, keys } as const;
      return await host.operations.run(spec, (steps) => write({ ...context, isFull }, vm, id, steps));
    } catch (error) {
      await repository.abandon(id).catch((left) =>
        log.warn("what a backup has left could not be removed: the next one does", { id, error: left })
      );
      if (host.inventory.active().includes(vm.id)) {
        await dropQuietly(host, vm, ({ copyId }) => copyId === id);
      }
      throw error;
    }
  };
  try {
    return await attempt(context.isFull);
  } catch (error) {
    if (!(error instanceof IncrementError)) throw explained(error);
    context.job.log(message`${vmName(vm)}: its disks are read in full after all: ${sentenceOf(error)}`);
    if (error.damaged !== undefined) await repository.setAside([error.damaged]);
    return await attempt(true).catch((again) => {
      throw explained(again);
    });
  }
}

/** What the kernel says of files of this host, for people; what a store says, it has said itself. */
export function explained(error: unknown): unknown {
  const isOfKernel = error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
  if (!isOfKernel || error instanceof ContractError) return error;
  return new ContractError("BackupFailed", { error: messageOf(error) }, { cause: error });
}

/** What changed could not be laid over the copy before: all must be read. */
class IncrementError extends Error {
  override readonly name = "IncrementError";
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }

  /** The chunk of the copy before that is damaged. */
  get damaged(): string | undefined {
    return this.cause instanceof BackupChunkError ? this.cause.digest : undefined;
  }
}

async function write(context: CopyContext, vm: VM, id: string, steps: Steps): Promise<Copied> {
  const { host, repository, backup, run, stateDir } = context;
  const unknown = await unknownImageText(host, vm);
  if (unknown !== undefined) throw new ContractError("BackupNotPossible", { reason: unknown });
  await repository.begin(id);
  const definition = await host.link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  const { disks, left } = disksToCopy(vm.disks);
  const secret = encryptedDisks(definition).find((target) => disks.some((disk) => disk.target === target));
  if (secret !== undefined) {
    const reason = `disk ${secret} is encrypted, and its content would be in the folder unencrypted`;
    throw new ContractError("BackupNotPossible", { reason });
  }
  const document = new XmlDocument(definition);
  const look: LookBeside = async () => ({
    nvram: await nvramBytes(document, vm.name),
    tpm: await readTpmState(host, document, vm.id),
  });
  const isLive = host.inventory.active().includes(vm.id);
  const spoolFor = (needBytes: number) =>
    makeSpool({ host, vm, id, disks, needBytes, isForQemu: isLive, stateDir }, steps);
  const content = isLive
    ? await ofRunning(context, vm, disks, { spoolFor, id, steps, look })
    : await ofStopped(context, vm, disks, { spoolFor, look });
  if (content.disks.some(({ list }) => repository.lacks(digestsIn(list)))) {
    throw new IncrementError(new Error("another VM's copy found content of it damaged"));
  }
  const { nvram, tpm } = content.beside;
  const files: (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[] = [];
  const put = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    files.push([name, bytes]);
    return await digestOf(bytes);
  };
  for (const { target, list } of content.disks) await put(`${target}.chunks`, encode(list));
  const manifest: BackupManifest = {
    format: "kvm-manager-backup",
    version: MANIFEST_VERSION,
    id,
    backup: { id: backup.id, name: backup.name },
    run: { id: run.id, startedAt: run.startedAt, actor: run.actor },
    host: host.inventory.hostname,
    takenAt: content.takenAt,
    vm: { id: vm.id, name: vm.name },
    consistency: content.consistency,
    chunkBytes: CHUNK_BYTES,
    disks: content.disks.map(({ list: _list, ...disk }) => disk),
    definition: await put("domain.xml", encode(definition)),
    ...(nvram && { nvram: await put("nvram", nvram) }),
    ...(tpm && "files" in tpm && {
      tpm: await Promise.all(
        tpm.files.map(async ({ name, bytes }) => ({ name, digest: await put(name, bytes) })),
      ),
    }),
    left: left.map(({ target, reason }) => ({ target, reason })),
    storedBytes: content.storedBytes,
    readBytes: content.readBytes,
  };
  context.job.signal.throwIfAborted();
  await repository.finish(id, files, manifest);
  // The copy is whole: QEMU need not note what changed since earlier ones, nor since those that were never whole.
  if (isLive) await dropQuietly(host, vm, (each) => each.backupId === backup.id && each.copyId !== id);
  const notes = [
    ...content.notes,
    ...tpmNotes(tpm, tpmSecret(document)),
    ...left.map(({ target, reason }) => `Disk ${target} is not in it: ${reason}`),
  ];
  return { manifest, notes };
}

/** What is worth knowing of the copy of a TPM. @param secret that its state is encrypted with */
function tpmNotes(tpm: TpmState | undefined, secret: string | undefined): string[] {
  if (tpm === undefined) return [];
  if ("fault" in tpm) return [`The state of its TPM is not in it: ${tpm.fault}`];
  if (tpm.files.length === 0 || secret === undefined) return [];
  return [
    `The state of its TPM is encrypted with libvirt's secret ${oneLine(secret, 40)}, which is not in it`,
  ];
}

/** Whether two looks found the same. */
function isSame(a: BesideDisks, b: BesideDisks): boolean {
  const contents = ({ nvram, tpm }: BesideDisks) => [
    ["nvram", nvram] as const,
    ...(tpm !== undefined && "files" in tpm
      ? tpm.files.map(({ name, bytes }) => [name, bytes] as const)
      : []),
  ];
  const [first, second] = [contents(a), contents(b)];
  return first.length === second.length && first.every(([name, bytes], index) => {
    const [otherName, other] = second[index]!;
    return name === otherName && Buffer.compare(bytes ?? NONE, other ?? NONE) === 0;
  });
}

const NONE = new Uint8Array();

/** The UEFI variables of a definition; undefined where there are none, or none yet. */
export async function nvramBytes(
  document: XmlDocument,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const path = nvramPaths(document, name, name, (own) => own)?.from;
  if (path === undefined) return undefined;
  return await undefinedIfMissing((async () => {
    const file = await openFile(path); // closed by its stream's end
    return new Uint8Array(await new Response(file.readable).arrayBuffer());
  })());
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
  const digest = await digestOf(encode(list));
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

async function ofRunning(
  { host, repository, backup, job, clock, isFull, pace, onBytes }: CopyContext,
  vm: VM,
  disks: readonly Disk[],
  { spoolFor, id, steps, look }: {
    readonly spoolFor: SpoolFor;
    readonly id: string;
    readonly steps: Steps;
    readonly look: LookBeside;
  },
): Promise<Content> {
  const count = new Count(onBytes);
  if (disks.length === 0) {
    const none = { notes: [], disks: [], storedBytes: 0, readBytes: 0 };
    return { takenAt: clock.now(), consistency: "crash", beside: await look(), ...none };
  }
  await look(); // what cannot be read is told before anything is copied
  const looks: PromiseSettledResult<BesideDisks>[] = [];
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
  }) as [BesideDisks, BesideDisks];
  const notes = [...plan.notes, ...copied.notes, ...isSame(before, after) ? [] : [WRITTEN_MEANWHILE]];
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
    beside: after,
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

/** What a write changes of a file. */
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
async function ofStopped(
  { host, repository, job, clock, pace, onBytes }: CopyContext,
  vm: VM,
  disks: readonly Disk[],
  { spoolFor, look }: { readonly spoolFor: SpoolFor; readonly look: LookBeside },
): Promise<Content> {
  const count = new Count(onBytes), found: Content["disks"][number][] = [], takenAt = clock.now();
  let stored = 0, readBytes = 0, beside!: BesideDisks;
  await host.claims.operate(vm, "backing up", async () => {
    if (host.inventory.active().includes(vm.id)) {
      throw new ContractError("BackupFailed", { error: "the VM was started just now" });
    }
    beside = await look();
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
    beside,
    notes: isSaved ? ["Its saved memory is not in it: the copy is as after a power failure"] : [],
    disks: found,
    storedBytes: stored,
    readBytes,
  };
}
