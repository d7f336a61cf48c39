/**
 * Copying the disks of a VM that runs: QEMU copies them as they are at one moment, and the guest goes on. Backups and
 * clones of running VMs are made so.
 */
import { message, vmName } from "../../lib/i18n/message.ts";
import type { BackupWay } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { backupFiles } from "../../lib/formats/xml/backup.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { type Clock, sleep, SYSTEM_CLOCK } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { type Quiescing, quiescingOf, withFrozenGuest } from "../hosts/quiesce.ts";
import { thawGuest } from "../hosts/thaw.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { Steps } from "../operations/operation.ts";
import { left, NOTHING, t, Unsettled } from "../operations/outcome.ts";
import type { StepRule, StepRules } from "../operations/settlement.ts";
import type { DisksCopied } from "../operations/step.ts";

/** Milliseconds between looks at a copy. */
const LOOK_MS = 500;
/** Milliseconds that libvirt may be away meanwhile: QEMU goes on without it. */
const AWAY_MS = 60_000;
/**
 * Milliseconds without a byte more, after libvirt was away, until a copy is given up: libvirt 9.0 that is killed while it
 * begins one reports it as running for ever.
 */
const STALLED_MS = 180_000;

/** Disks to copy, with the ways to do it. */
export interface DisksCopy {
  readonly host: LibvirtHost;
  readonly vm: VM;
  /** Targets of the disks that are copied. */
  readonly targets: readonly string[];
  /** The ways to copy them, the best one first. */
  readonly ways: readonly BackupWay[];
  /** Whether a file that QEMU copies to is ours. */
  readonly isOurs: (file: string) => boolean;
  /** Additional check, repeated at each look. */
  readonly require?: () => Promise<void>;
  /** How fast QEMU may copy all of them together. */
  readonly bytesPerSecond?: number | undefined;
  /** Label of the VM while it begins. */
  readonly label: string;
  /** Record of the copy, written before it begins. */
  readonly steps: Steps;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
  readonly onBytes: (done: number) => void;
  /** Called just before and just after the moment that the copy is of. Never throws. */
  readonly onMoment?: (() => Promise<void>) | undefined;
  /** The error for a VM whose disks are copied already. */
  readonly refused: () => ContractError;
  /** The error for a copy that failed. */
  readonly failed: (error: string | undefined, cause?: unknown) => ContractError;
}

/** How it went. */
export interface DisksCopyResult {
  readonly takenAt: number;
  readonly isFrozen: boolean;
  /** Notes for the user. */
  readonly notes: readonly string[];
  /** Index of the way that succeeded. */
  readonly way: number;
  /** Why the ways before could not be gone. */
  readonly refusals: readonly string[];
  /** Bytes copied, by QEMU's count. */
  readonly doneBytes: number;
}

/**
 * Ends a copy of ours that is under way in QEMU.
 *
 * @returns whether somebody else's is under way
 * @throws {LibvirtError}
 */
export async function endCopy(
  { link }: LibvirtHost,
  uuid: string,
  isOurs: (file: string) => boolean,
  clock: Clock,
): Promise<boolean> {
  const end = clock.monotonic() + AWAY_MS;
  for (;;) {
    const now = await link.call("backupNow", { uuid });
    if (now === null) return false;
    if (!backupFiles(now).every(isOurs)) return true;
    await link.call("jobAbort", { uuid });
    if (clock.monotonic() > end) return true;
    await sleep(clock, LOOK_MS);
  }
}

/** Has QEMU keep the limit. It copies the disks at once, so each gets its share. */
async function slowDown({ host, vm, targets, job }: DisksCopy, bytesPerSecond: number): Promise<void> {
  const share = bytesPerSecond / targets.length;
  await host.link.call("backupSpeed", { uuid: vm.id, targets, bytesPerSecond: share }).catch((error) => {
    // A small disk is copied before it can be slowed down.
    log.debug("a backup could not be slowed down", { vm: vm.name, error });
    job.log(message`${vmName(vm)}: QEMU does not keep the bandwidth limit: ${messageOf(error)}`);
  });
}

/** Has QEMU begin, while the guest stands still where an agent can have it do so. It goes on whatever happens. */
async function begin(copy: DisksCopy, by: Quiescing) {
  const { host, vm, ways, steps } = copy;
  const start = async (freeze: boolean) => {
    await copy.onMoment?.();
    const begun = await host.link.call("backupBegin", { uuid: vm.id, ways, freeze });
    await copy.onMoment?.();
    return begun;
  };
  const { id: uuid, name } = vm, isFrozen = by === "libvirt";
  const files = [...new Set(ways.flatMap(({ xml }) => backupFiles(xml)))];
  const noted = steps.add<DisksCopied>({ kind: "disks-copied", uuid, name, files, isFrozen });
  if (by !== "own") {
    const begun = await start(isFrozen);
    if (begun.notThawed === undefined) noted.know({ isFrozen: false }, true);
    return begun;
  }
  // This agent thaws by itself at its limit, whatever becomes of us.
  const { result, not } = await withFrozenGuest(host, vm, () => start(false));
  return { ...result, ...(not === undefined ? { frozen: true } : { notFrozen: not }) };
}

/**
 * Copies disks of a VM that runs or is paused. When it fails or is cancelled, QEMU is told to stop copying; the VM runs on.
 *
 * @throws {ContractError} VmBusy, what `refused` and `failed` make, the reason of the job's end @throws {LibvirtError}
 */
export async function copyDisks(copy: DisksCopy): Promise<DisksCopyResult> {
  const { host, vm, targets, isOurs, clock, job } = copy, { id: uuid } = vm;
  let takenAt = 0;
  try {
    const start = async () => {
      if (await endCopy(host, uuid, isOurs, clock)) throw copy.refused();
      const now = host.requireVm(uuid);
      using _claim = host.claims.take(now, copy.label);
      takenAt = clock.now();
      // The agent of a guest that is paused does not answer, and nothing writes either.
      return await begin(copy, now.state === "paused" ? "none" : await quiescingOf(host, now));
    };
    const begun = await start();
    const notes: string[] = [];
    if (begun.notFrozen !== undefined) {
      job.log(message`${vmName(vm)}: its guest agent did not freeze the file systems: ${begun.notFrozen}`);
      notes.push("Its guest agent did not freeze the file systems: the copy is as after a power failure");
    }
    if (begun.notThawed !== undefined) {
      const still = await thawGuest(host, vm, clock);
      if (still !== undefined) notes.push(still);
    }
    if (copy.bytesPerSecond !== undefined) await slowDown(copy, copy.bytesPerSecond);
    const doneBytes = await awaitEnd(copy);
    // QEMU may be closing its files still: libvirt answers this once that is done.
    await host.link.call("domainDiskSizes", { uuid, targets: targets.slice(0, 1) }).catch((error) =>
      log.debug("a VM could not be asked after its disks were copied", { vm: vm.name, error })
    );
    return {
      takenAt,
      isFrozen: begun.frozen,
      notes,
      way: begun.way,
      refusals: begun.refusals,
      doneBytes,
    };
  } catch (error) {
    await endCopy(host, uuid, isOurs, clock).catch((left) =>
      log.warn("a copy of disks could not be ended: the next one does", { vm: vm.name, error: left })
    );
    job.signal.throwIfAborted();
    if (isConnectionLost(error)) throw error;
    // libvirt tells in many ways of a VM that has just stopped.
    await host.reread(vm);
    throw host.inventory.active().includes(uuid)
      ? error
      : copy.failed("the VM stopped while it was copied", error);
  }
}

/**
 * Waits until QEMU has copied everything.
 *
 * @returns the number of bytes copied
 * @throws {ContractError} the error that `failed` makes @throws {LibvirtError}
 */
export async function awaitEnd(
  copy: Pick<DisksCopy, "host" | "vm" | "job" | "clock" | "onBytes" | "failed" | "require">,
): Promise<number> {
  const { host, vm: { id: uuid }, job, clock, onBytes, failed } = copy;
  const { since } = host.link.status;
  let awaySince: number | undefined, last = { bytes: -1, at: clock.monotonic() };
  for (;;) {
    await sleep(clock, LOOK_MS, job.signal);
    job.signal.throwIfAborted();
    await copy.require?.();
    try {
      const { state, doneBytes, error } = await host.link.call("backupProgress", { uuid });
      awaySince = undefined;
      onBytes(doneBytes);
      if (state === "done") return doneBytes;
      if (state === "failed") throw failed(error);
      if (doneBytes !== last.bytes) last = { bytes: doneBytes, at: clock.monotonic() };
      else if (host.link.status.since !== since && clock.monotonic() - last.at > STALLED_MS) {
        throw failed("libvirt was restarted meanwhile, and the copy has not gone on since");
      }
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      awaySince ??= clock.monotonic();
      if (clock.monotonic() - awaySince > AWAY_MS) throw error;
    }
  }
}

/** Ends a copy that was cut short: the guest thaws, and QEMU copies no more. */
const disksCopied: StepRule<"disks-copied"> = {
  undo: async ({ uuid, name, files, isFrozen }, { vms }) => {
    const { inventory, link } = vms;
    if (!inventory.active().includes(uuid)) return NOTHING;
    const notThawed = isFrozen ? await thaw(vms, uuid) : undefined;
    const isOurs = (file: string) => files.includes(file);
    await endCopy(vms, uuid, isOurs, SYSTEM_CLOCK);
    const now = await link.call("backupNow", { uuid });
    const path = now === null ? undefined : backupFiles(now).find(isOurs);
    if (path !== undefined) throw new Unsettled(t("operations.copy_runs", { path }));
    return notThawed === undefined ? NOTHING : left(name, notThawed);
  },
};

/** Thaws a guest. @returns why it did not, which nothing else waits for: its agent may never answer */
async function thaw({ link }: LibvirtHost, uuid: string): Promise<string | undefined> {
  try {
    await link.call("domainThaw", { uuid });
    return undefined;
  } catch (error) {
    if (!(error instanceof LibvirtError) || isConnectionLost(error)) throw error;
    return messageOf(error);
  }
}

/** How copies of disks of running VMs are settled. */
export const runningDiskSteps = { "disks-copied": disksCopied } satisfies Partial<StepRules>;
