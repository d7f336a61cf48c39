/** Copying the disks of a VM that runs: QEMU copies them as they are at one moment, and the guest goes on. */
import { LibvirtError } from "../../ffi/error.ts";
import { type BackupDisk, backupFiles, backupXml, checkpointXml } from "../../lib/formats/xml/backup.ts";
import { ContractError, type Disk, type VM } from "../../lib/contract/mod.ts";
import { type Clock, sleep } from "../clock.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Host } from "../hosts/host.ts";
import { quiescingOf, whileStill } from "../hosts/quiesce.ts";
import { thawGuest } from "../hosts/thaw.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError, isAway } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { ReadPlan } from "./base.ts";
import type { Pace } from "./pace.ts";
import type { Spool } from "./spool.ts";

/** Milliseconds between looks at a copy. */
const LOOK_MS = 500;
/** Milliseconds that libvirt may be away meanwhile: QEMU goes on without it. */
const AWAY_MS = 60_000;

/** What to copy, and where. */
export interface RunningCopy {
  readonly host: Host;
  readonly vm: VM;
  readonly disks: readonly Disk[];
  /** The folder that QEMU makes the files in: `vda.raw`. */
  readonly spool: Spool;
  readonly plan: ReadPlan;
  readonly pace?: Pace | undefined;
  /** The name of the checkpoint that is made where it can be. */
  readonly checkpoint: string;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
  readonly onBytes: (done: number) => void;
  /** Called right before and right after the moment that the disks show. Never throws. */
  readonly onMoment: () => Promise<void>;
}

/** How it went. */
export interface RunningCopied {
  readonly takenAt: number;
  readonly isFrozen: boolean;
  /** What is worth knowing. */
  readonly notes: readonly string[];
  /** Which way it went. */
  readonly way: Way;
  /** Why the ways before could not be gone. */
  readonly refusals: readonly string[];
  /** What QEMU says it copied. */
  readonly doneBytes: number;
}

/** A way to copy. */
export interface Way {
  /** Where each disk's content is. */
  readonly files: ReadonlyMap<string, string>;
  /** Disks of which only what changed is in its file, which is qcow2. */
  readonly incremental: ReadonlySet<string>;
  /** Whether QEMU notes changes from then on. */
  readonly isNoted: boolean;
}

/** The file that a disk is copied to. @param way which of several ways it is: what one has left is not the other's */
export const spooled = (spool: string, target: string, way = 0): string => `${spool}/${target}.${way}.raw`;

/** The ways to copy disks, the best one first: what changed; all, with notes for the next time; all. */
function waysOf({ disks, spool, plan: { base, noted } }: RunningCopy): Way[] {
  const kinds = [
    ...(base === undefined ? [] : [{ incremental: new Set(base.disks.keys()), isNoted: true }]),
    ...(noted.size === 0 ? [] : [{ incremental: new Set<string>(), isNoted: true }]),
    { incremental: new Set<string>(), isNoted: false },
  ];
  return kinds.map((kind, way) => ({
    ...kind,
    files: new Map(disks.map(({ target }) => [target, spooled(spool.path, target, way)])),
  }));
}

/** A way, as libvirt is told. */
function asked({ vm, plan: { base, noted }, checkpoint }: RunningCopy, way: Way) {
  const { files, incremental, isNoted } = way;
  const targets = vm.disks.filter(({ source }) => source !== undefined).map(({ target }): BackupDisk => ({
    target,
    file: files.get(target),
    isIncremental: incremental.has(target),
  }));
  const marks = targets.map(({ target }) => ({ target, isNoted: noted.has(target) }));
  return {
    xml: backupXml(targets, incremental.size > 0 ? base!.checkpoint : undefined),
    checkpoint: isNoted ? checkpointXml(checkpoint, marks) : null,
  };
}

/**
 * Ends a backup of ours that an earlier run has left in QEMU.
 *
 * @returns whether another program's is under way
 * @throws {LibvirtError}
 */
export async function endOurs(
  { link }: Host,
  uuid: string,
  isOurs: (file: string) => boolean,
  clock: Clock,
): Promise<boolean> {
  const end = clock.monotonic() + AWAY_MS;
  for (;;) {
    const now = await link.call("backupNow", { uuid });
    if (now === null) return false;
    if (!backupFiles(now).every(isOurs)) return true;
    await link.call("backupAbort", { uuid });
    if (clock.monotonic() > end) return true;
    await sleep(clock, LOOK_MS);
  }
}

/** Has QEMU keep the limit. It copies the disks at once, so each gets its share. */
async function slowDown({ host, vm, disks, job }: RunningCopy, { bytesPerSecond }: Pace): Promise<void> {
  const targets = disks.map(({ target }) => target), share = bytesPerSecond / targets.length;
  await host.link.call("backupSpeed", { uuid: vm.id, targets, bytesPerSecond: share }).catch((error) => {
    // A small disk is copied before it can be slowed down.
    log.debug("a backup could not be slowed down", { vm: vm.name, error });
    job.log(`${vm.name}: QEMU does not keep the bandwidth limit: ${messageOf(error)}`);
  });
}

/**
 * Copies disks of a VM that runs. When it fails or is cancelled, QEMU is told to stop copying; the VM runs on.
 *
 * @throws {ContractError} VmBusy, BackupNotPossible, BackupFailed, the reason of the job's end
 */
export async function copyRunning(copy: RunningCopy): Promise<RunningCopied> {
  const { host, vm, spool: { isOurs }, clock, job } = copy, { id: uuid } = vm;
  const ways = waysOf(copy), told = ways.map((way) => asked(copy, way));
  let takenAt = 0;
  const begin = async () => {
    if (await endOurs(host, uuid, isOurs, clock)) {
      throw new ContractError("BackupNotPossible", { reason: "another program is backing it up just now" });
    }
    using _claim = host.claim(host.requireVm(uuid), "beginning a backup");
    takenAt = clock.now();
    const by = await quiescingOf(host, vm);
    const start = async (freeze: boolean) => {
      await copy.onMoment();
      const begun = await host.link.call("backupBegin", { uuid, ways: told, freeze });
      await copy.onMoment();
      return begun;
    };
    if (by !== "own") return await start(by === "libvirt");
    const { result, not } = await whileStill(host, vm, () => start(false));
    return { ...result, ...(not === undefined ? { frozen: true } : { notFrozen: not }) };
  };
  try {
    const begun = await begin();
    const notes: string[] = [];
    if (begun.notFrozen !== undefined) {
      job.log(`${vm.name}: its guest agent did not freeze the file systems: ${begun.notFrozen}`);
      notes.push("Its guest agent did not freeze the file systems: the copy is as after a power failure");
    }
    if (begun.notThawed !== undefined) {
      const still = await thawGuest(host, vm, clock);
      if (still !== undefined) notes.push(still);
    }
    if (copy.pace !== undefined) await slowDown(copy, copy.pace);
    const doneBytes = await awaitEnd(copy);
    // QEMU may be closing its files still: libvirt answers this once that is done.
    const look = [{ uuid, targets: copy.disks.slice(0, 1).map(({ target }) => target) }];
    await host.link.call("domainDiskSizes", { domains: look }).catch((error) =>
      log.debug("a VM could not be asked after its backup", { vm: vm.name, error })
    );
    const { refusals, frozen: isFrozen } = begun;
    return { takenAt, isFrozen, notes, refusals, way: ways[begun.way]!, doneBytes };
  } catch (error) {
    await endOurs(host, uuid, isOurs, clock).catch((left) =>
      log.warn("a backup could not be ended: the next one does", { vm: vm.name, error: left })
    );
    job.signal.throwIfAborted();
    throw contractError(error, "BackupFailed", "run_backup_now");
  }
}

/**
 * Waits until QEMU has copied everything.
 *
 * @returns how many bytes that were
 * @throws {ContractError} BackupFailed @throws {LibvirtError}
 */
async function awaitEnd(
  { host, vm: { id: uuid }, spool, job, clock, onBytes }: RunningCopy,
): Promise<number> {
  let awaySince: number | undefined;
  for (;;) {
    await sleep(clock, LOOK_MS, job.signal);
    job.signal.throwIfAborted();
    await spool.requireRoom();
    try {
      const { state, doneBytes, error } = await host.link.call("backupProgress", { uuid });
      awaySince = undefined;
      onBytes(doneBytes);
      if (state === "done") return doneBytes;
      if (state === "failed") throw new ContractError("BackupFailed", { error });
    } catch (error) {
      if (error instanceof LibvirtError && error.kind === "libvirt") {
        const why = host.inventory.active().includes(uuid)
          ? error.message
          : "the VM stopped while it was copied";
        throw new ContractError("BackupFailed", { error: why }, { cause: error });
      }
      if (!isAway(error)) throw error;
      awaySince ??= clock.monotonic();
      if (clock.monotonic() - awaySince > AWAY_MS) throw error;
    }
  }
}
