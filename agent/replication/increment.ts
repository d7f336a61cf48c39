/** One increment of a VM into its replica on another host. It counts there once all of it came; else nothing of it does. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { checkpointName } from "../../lib/backup/checkpoint.ts";
import { type CONSISTENCIES, copyIdAt } from "../../lib/backup/manifest.ts";
import { disksToCopy } from "../../lib/backup/disks.ts";
import { ContractError, detailOf, type Disk, type VM } from "../../lib/contract/mod.ts";
import { ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { encryptedDisks } from "../../lib/formats/xml/backup.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { MOST_STATE, type StateFile } from "../../lib/host/migration_protocol.ts";
import type { DiskMode, HeldReplica } from "../../lib/host/replication_protocol.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import { hasSnapshots, sizesNow, withoutBitmaps } from "../backups/base.ts";
import { spoolBytes, stateOf, virtualSizeOf } from "../backups/copy_disks.ts";
import { nvramBytes } from "../backups/firmware_state.ts";
import { copyRunning, spooled } from "../backups/running_copy.ts";
import { makeSpool, type Spool } from "../backups/spool.ts";
import { makeEmptyImage } from "../backups/write_disk.ts";
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { Steps } from "../operations/operation.ts";
import { keyOf } from "../operations/operation_record.ts";
import { Pace } from "../pace.ts";
import { checkImage, requireWish } from "../storage/disk_images/check.ts";
import { imageOf } from "../storage/disk_origin.ts";
import { copyImage } from "../storage/qemu_img.ts";
import { holdWriters } from "../storage/volume_usage.ts";
import { dropQuietly, ownCheckpoints } from "../vm/checkpoints.ts";
import { readTpmState } from "../vm/lifecycle/tpm_state.ts";
import { unknownImageText } from "../vm/snapshots/next_start.ts";
import { ConversationCut, type ReplicationConversation } from "./conversation.ts";
import { definitionThere } from "./networks.ts";
import type { StoredReplication } from "./records.ts";
import { sendDisk } from "./send_disk.ts";

/** Services and options of an increment. */
export interface IncrementWork {
  readonly host: LibvirtHost;
  readonly replication: StoredReplication;
  readonly talk: ReplicationConversation;
  /** State of the replica on the other host. */
  readonly held: HeldReplica;
  readonly job: Pick<JobHandle, "signal" | "log"> & { progress(done: number, total: number | null): void };
  readonly actor: string;
  readonly clock: Clock;
  /** KVM Manager's state folder. */
  readonly stateDir: string;
  /** Called as QEMU is asked to begin a copy, and once it has: one that has stopped does not for minutes. */
  readonly asksQemu: (isAsked: boolean) => void;
  /** The VM is held by whoever switches it over: nothing starts it meanwhile. */
  readonly isHeld: boolean;
}

/** Result of an increment. */
export interface SentIncrement {
  readonly copyId: string;
  readonly takenAt: number;
  readonly images: Readonly<Record<string, string>>;
  readonly offMark: string | undefined;
  readonly changedBytes: number;
  readonly sentBytes: number;
  /** Why disks were read in full; empty where only what changed was. */
  readonly note: Sentence;
}

const notPossible = (reason: Sentence) => new ContractError("ReplicationNotPossible", { reason });
const failed = (error: Sentence, cause?: unknown) =>
  new ContractError("ReplicationFailed", { error }, { cause });

/** A disk whose content, or what changed of it, is in a file. */
interface ReadDisk {
  readonly target: string;
  readonly path: string;
  readonly mode: DiskMode;
  readonly bytes: number;
}

/** Disks of the VM that were read, and the moment they show. */
interface Read {
  readonly disks: readonly ReadDisk[];
  readonly takenAt: number;
  readonly consistency: typeof CONSISTENCIES[number];
  readonly images: Readonly<Record<string, string>>;
  readonly note: string;
  /** Bytes that QEMU says it copied, where only changes were. */
  readonly doneBytes: number | undefined;
  readonly spool: Spool;
}

/** UEFI variables and files of the TPM. @throws {ContractError} ReplicationFailed where they cannot be read: without them the VM may not boot */
async function stateIn(
  host: LibvirtHost,
  document: XmlDocument,
  vm: VM,
): Promise<(readonly [StateFile, string])[]> {
  const found: [StateFile, Uint8Array][] = [], variables = await nvramBytes(document, vm.name);
  if (variables !== undefined) found.push(["nvram", variables]);
  const tpm = await readTpmState(host, document, vm.id);
  if (tpm !== undefined && "fault" in tpm) throw failed(`the state of its TPM cannot be read: ${tpm.fault}`);
  for (const { name, bytes } of tpm?.files ?? []) found.push([name, bytes]);
  return found.map(([name, bytes]) => {
    const content = Buffer.from(bytes).toString("base64");
    if (content.length > MOST_STATE) {
      throw failed(`its ${name} has ${bytes.length} bytes, which is more than is sent`);
    }
    return [name, content] as const;
  });
}

/** The disks, and why VMs with some are not replicated. @throws {ContractError} ReplicationNotPossible */
async function disksOf(host: LibvirtHost, vm: VM, definition: string): Promise<Disk[]> {
  if (!vm.persistent) throw notPossible("it is transient: it disappears when it stops");
  const unknown = await unknownImageText(host, vm);
  if (unknown !== undefined) throw notPossible(unknown);
  const { disks, left } = disksToCopy(vm.disks);
  if (left.length > 0) throw notPossible(message`disk ${left[0]!.target} cannot be: ${left[0]!.reason}`);
  const secret = encryptedDisks(definition).find((target) => disks.some((disk) => disk.target === target));
  if (secret !== undefined) {
    throw notPossible(message`disk ${secret} is encrypted, and its passphrase is on this host alone`);
  }
  return disks;
}

/** Disks on which changes are tracked, and the checkpoint since which they are. */
async function planChanges({ host, replication, held }: IncrementWork, vm: VM, disks: readonly Disk[]) {
  const noted = new Map<string, string>(), none = { noted, base: undefined };
  if (await hasSnapshots(host, vm.id)) {
    return { ...none, reason: "it has snapshots, which do not go with QEMU's notes of changes" };
  }
  const old = await withoutBitmaps(host, disks);
  for (const disk of disks) {
    const image = disk.format === "qcow2" && !old.has(disk.target) ? await imageOf(disk) : undefined;
    if (image !== undefined) noted.set(disk.target, image);
  }
  const own = (await ownCheckpoints(host, vm.id)).find(({ backupId, copyId }) =>
    backupId === replication.id && copyId === held.copyId
  );
  if (own === undefined) {
    return {
      noted,
      base: undefined,
      reason: held.copyId === null ? "it is the first copy" : "nothing was noted since the last increment",
    };
  }
  const sizes = await sizesNow(host, vm, disks);
  const same = disks.filter(({ target }) =>
    noted.has(target) && replication.images[target] === noted.get(target) &&
    held.disks.some((disk) => disk.target === target && disk.bytes === sizes.get(target))
  );
  const base = { checkpoint: own.name, disks: new Map(same.map(({ target }) => [target, true])) };
  const reason = same.length === disks.length
    ? ""
    : "some disks are new, of another size, or keep no notes of changes";
  return { noted, base: same.length === 0 ? undefined : base, reason };
}

/** Has QEMU copy what changed, or all. */
async function readRunning(
  work: IncrementWork,
  vm: VM,
  disks: readonly Disk[],
  { copyId, steps, onBytes }: {
    readonly copyId: string;
    readonly steps: Steps;
    readonly onBytes: (done: number) => void;
  },
): Promise<Read> {
  const { host, replication, job, clock, stateDir, held } = work;
  const plan = await planChanges(work, vm, disks);
  const needed = await Promise.all(
    disks.filter(({ target }) => !plan.base?.disks.has(target)).map(spoolBytes),
  );
  const needBytes = needed.reduce((sum, bytes) => sum + bytes, 0);
  const spool = await makeSpool({ host, vm, id: copyId, disks, needBytes, isForQemu: true, stateDir }, steps);
  let isAsked = false;
  const copied = await copyRunning({
    host,
    vm,
    disks,
    spool,
    steps,
    job,
    clock,
    plan,
    onMoment: () => Promise.resolve(work.asksQemu(isAsked = !isAsked)),
    pace: paceOf(work),
    checkpoint: checkpointName(replication.id, copyId),
    onBytes,
  });
  const { way } = copied, read: ReadDisk[] = [];
  for (const { target } of disks) {
    const path = way.files.get(target)!, bytes = await virtualSizeOf(path);
    const has = held.disks.some((disk) => disk.target === target && disk.bytes === bytes);
    const isIncremental = way.incremental.has(target);
    if (isIncremental && !has) {
      throw failed(`disk ${target} was resized just now. The next increment reads it whole`);
    }
    const mode = isIncremental ? "changes" : has ? "differences" : "all";
    read.push({ target, path, mode, bytes });
  }
  return {
    disks: read,
    takenAt: copied.takenAt,
    consistency: copied.isFrozen ? "frozen" : "crash",
    images: way.isNoted ? Object.fromEntries(plan.noted) : {},
    note: way.incremental.size === disks.length ? "" : copied.refusals[0] ?? plan.reason,
    doneBytes: way.incremental.size === 0 ? undefined : copied.doneBytes,
    spool,
  };
}

const paceOf = ({ replication: { maxMibPerSecond }, clock }: IncrementWork): Pace | undefined =>
  maxMibPerSecond === 0 ? undefined : new Pace(clock, maxMibPerSecond * 1024 ** 2);

/**
 * A mark of the disks of a VM that is off, which changes with each write to them. @throws {Error} from
 * looking at them
 */
async function diskMarkOf(disks: readonly Disk[]): Promise<string> {
  const marks = await Promise.all(
    disks.map(async ({ target, source = "" }) => `${target} ${source} ${await stateOf(plainPath(source))}`),
  );
  return marks.join("\n");
}

/**
 * A mark of a replicated VM that is off, which changes with its disks, its definition, its UEFI variables and
 * its TPM.
 *
 * @throws {ContractError} ReplicationFailed @throws {Error} from looking at the disks
 */
export async function offMarkOf(
  host: LibvirtHost,
  vm: VM,
  { networks }: Pick<StoredReplication, "networks">,
): Promise<string> {
  const definition = definitionThere(await definitionOf(host, vm), networks),
    hash = createHash("sha256").update(definition);
  for (const [name, content] of await stateIn(host, new XmlDocument(definition), vm)) {
    hash.update(`\0${name}\0${content}`);
  }
  return `${await diskMarkOf(disksToCopy(vm.disks).disks)}\n${hash.digest("hex")}`;
}

const definitionOf = (host: LibvirtHost, { id: uuid }: VM) =>
  host.link.call("domainXml", { uuid, secure: false, inactive: true });

/** Copies the disks of a VM that is off into files of their own. */
async function readStopped(
  work: IncrementWork,
  vm: VM,
  disks: readonly Disk[],
  { copyId, steps, held: stack, onBytes }: {
    readonly copyId: string;
    readonly steps: Steps;
    readonly held: DisposableStack;
    readonly onBytes: (done: number) => void;
  },
): Promise<Read> {
  const { host, job, clock, stateDir, held } = work, takenAt = clock.now(), read: ReadDisk[] = [];
  const needed = await Promise.all(disks.map(spoolBytes));
  const needBytes = needed.reduce((sum, bytes) => sum + bytes, 0);
  const spool = await makeSpool(
    { host, vm, id: copyId, disks, needBytes, isForQemu: false, stateDir },
    steps,
  );
  let before = 0;
  for (const disk of disks) {
    const { source = "", target } = disk;
    if (disk.type === "network") {
      throw notPossible(message`disk ${target} is on the network, and is replicated while the VM runs alone`);
    }
    const wish = { ...requireWish(source), format: disk.format === "qcow2" ? "qcow2" : "raw" } as const;
    const image = await checkImage(host, wish, { purpose: "content", role: "administrator" }, stack);
    if (image.secret !== undefined) throw notPossible(message`disk ${target} is encrypted`);
    const { volume } = image;
    if (volume !== undefined) await holdWriters(host, { ...image, volume }, stack, vm.id);
    const bytes = image.virtualBytes ?? volume?.capacity;
    if (bytes === undefined) throw notPossible(message`the size of disk ${target} is not known`);
    const path = spooled(spool.path, target), start = before;
    await makeEmptyImage(path, bytes);
    await copyImage({
      source: image,
      target: path,
      format: "qcow2",
      isFile: true,
      signal: job.signal,
      bytesPerSecond: paceOf(work)?.bytesPerSecond,
      onShare: (share) => onBytes(start + share * bytes),
    });
    before += bytes;
    const has = held.disks.some((each) => each.target === target && each.bytes === bytes);
    read.push({ target, path, mode: has ? "differences" : "all", bytes });
  }
  const consistency = vm.state === "suspended" ? "crash" : "stopped";
  return { disks: read, takenAt, consistency, images: {}, note: "", doneBytes: undefined, spool };
}

/** Sends what was read. @throws {ContractError} */
async function send(
  work: IncrementWork,
  vm: VM,
  { read, copyId, definition, onBytes }: {
    readonly read: Read;
    readonly copyId: string;
    readonly definition: string;
    readonly onBytes: (done: number) => void;
  },
): Promise<Pick<SentIncrement, "changedBytes" | "sentBytes">> {
  const { host, talk, held, job, replication: { everySeconds, pool, takeOld } } = work;
  const state = await stateIn(host, new XmlDocument(definition), vm);
  const answer = await talk.ask({
    do: "begin",
    copyId,
    since: held.copyId,
    everySeconds,
    takeOld,
    ...(pool !== undefined && { pool }),
    disks: read.disks.map(({ target, bytes, mode }) => ({
      // An old VM there may have it
      target,
      bytes,
      mode: mode === "all" ? "differences" : mode,
    })),
  });
  const pace = paceOf(work), sent = [];
  let before = 0;
  for (const [index, { target, path, bytes, mode: planned }] of read.disks.entries()) {
    const has = answer.disks.some((disk) => disk.target === target && disk.bytes === bytes);
    const mode = planned === "changes" ? planned : has ? "differences" : "all", start = before;
    const { signal } = job;
    sent.push(
      await sendDisk({
        path,
        target,
        bytes,
        index,
        mode,
        talk,
        pace,
        signal,
        onBytes: (done) => onBytes(start + done),
      }),
    );
    before += bytes;
    await hostFiles.remove(path);
  }
  const { doneBytes } = read, heldBytes = sent.reduce((sum, disk) => sum + disk.heldBytes, 0);
  if (
    doneBytes !== undefined && read.disks.every(({ mode }) => mode === "changes") && heldBytes < doneBytes
  ) {
    throw new ImageError(`QEMU says that it copied ${doneBytes} bytes, and ${heldBytes} were found`);
  }
  await talk.ask({ do: "definition", xml: definition });
  for (const [name, content] of state) await talk.ask({ do: "state", name, content });
  job.signal.throwIfAborted();
  const { takenAt, consistency } = read;
  await talk.ask({
    do: "finish",
    takenAt,
    consistency,
    disks: sent.map(({ target, pieces, digest }) => ({ target, pieces, digest })),
  });
  return {
    changedBytes: sent.reduce((sum, disk) => sum + disk.changedBytes, 0),
    sentBytes: sent.reduce((sum, disk) => sum + disk.sentBytes, 0),
  };
}

/** Brings the replica up to date. @throws {ContractError} @throws the reason of the job's end */
export async function replicate(work: IncrementWork): Promise<SentIncrement> {
  const { host, replication } = work;
  const vm = host.requireVm(replication.vmId);
  try {
    return await attempt(work, vm);
  } catch (error) {
    if (error instanceof ImageError) {
      throw failed(
        `what QEMU copied cannot be read: ${messageOf(error)}. The next increment reads all`,
        error,
      );
    }
    // Disks are read as for a backup
    if (error instanceof ContractError && error.code === "BackupNotPossible") {
      throw notPossible(detailOf(error, "reason"));
    }
    if (error instanceof ContractError && error.code === "BackupFailed") {
      throw failed(detailOf(error, "error"), error);
    }
    throw error;
  }
}

async function attempt(work: IncrementWork, vm: VM): Promise<SentIncrement> {
  const { host, replication, clock, actor, job } = work;
  const copyId = copyIdAt(clock.now(), crypto.randomUUID().slice(0, 8));
  const definition = await definitionOf(host, vm);
  const disks = await disksOf(host, vm, definition), isLive = host.inventory.active().includes(vm.id);
  const isOfThis = ({ backupId }: { readonly backupId: string }) => backupId === replication.id;
  // Of increments that never became whole
  if (isLive) await dropQuietly(host, vm, (each) => isOfThis(each) && each.copyId !== work.held.copyId);
  const total = disks.reduce((sum, { capacityBytes = 0 }) => sum + capacityBytes, 0);
  const onBytes = (half: 0 | 1) => (done: number) =>
    job.progress(half * total + Math.min(done, total), 2 * total);
  const keys = [keyOf.backupCopy(copyId)];
  const spec = { command: "replicate_now", subject: vm.name, vmId: vm.id, actor, keys } as const;
  const carryOut = async (): Promise<SentIncrement> => {
    if (!isLive && host.inventory.active().includes(vm.id)) throw failed("the VM was started just now");
    const offMark = isLive ? undefined : await offMarkOf(host, vm, replication);
    const result = await host.operations.run(spec, async (steps) => {
      using stack = new DisposableStack();
      const read = isLive
        ? await readRunning(work, vm, disks, { copyId, steps, onBytes: onBytes(0) })
        : await readStopped(work, vm, disks, { copyId, steps, held: stack, onBytes: onBytes(0) });
      // libvirt starts it whatever we are doing
      if (
        !isLive &&
        (host.inventory.active().includes(vm.id) || await offMarkOf(host, vm, replication) !== offMark)
      ) {
        throw failed("the VM was started or changed, or one of its disks was written to, while it was read");
      }
      const placed = definitionThere(definition, replication.networks);
      const sent = await send(work, vm, { read, copyId, definition: placed, onBytes: onBytes(1) });
      await read.spool.remove();
      return { ...sent, takenAt: read.takenAt, images: read.images, note: read.note };
    });
    return { ...result, copyId, offMark };
  };
  let increment: SentIncrement | undefined;
  try {
    if (isLive || work.isHeld) increment = await carryOut();
    else await host.claims.operate(vm, "replicating", async () => void (increment = await carryOut()));
  } catch (error) {
    // Where the connection was cut, the other host may have it: the next increment finds out
    if (isLive && !(error instanceof ConversationCut) && host.inventory.active().includes(vm.id)) {
      const isWrong = error instanceof ImageError;
      await dropQuietly(host, vm, (each) => isOfThis(each) && (isWrong || each.copyId === copyId));
    }
    throw error;
  }
  if (isLive) await dropQuietly(host, vm, (each) => isOfThis(each) && each.copyId !== copyId);
  return increment!;
}
