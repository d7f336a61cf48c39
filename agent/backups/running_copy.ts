/** Copying the disks of a VM that runs: QEMU copies them as they are at one moment, and the guest goes on. */
import { type BackupDisk, backupXml, checkpointXml } from "../../lib/formats/xml/backup.ts";
import { ContractError, type Disk } from "../../lib/contract/mod.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { contractError } from "../libvirt/failure.ts";
import { copyDisks, type DisksCopy, type DisksCopyResult } from "../vm/running_disks.ts";
import type { ReadPlan } from "./base.ts";
import type { Pace } from "../pace.ts";
import type { Spool } from "./spool.ts";

/** Disks of a running VM, and the folder that QEMU copies them to. */
export interface RunningCopy
  extends Pick<DisksCopy, "host" | "vm" | "steps" | "job" | "clock" | "onBytes" | "onMoment"> {
  readonly disks: readonly Disk[];
  /** The folder that QEMU makes the files in: `vda.0.qcow2`. */
  readonly spool: Spool;
  readonly plan: Pick<ReadPlan, "noted"> & {
    /** The checkpoint that only what changed since is copied of, and of which disks, by target. */
    readonly base:
      | { readonly checkpoint: string; readonly disks: ReadonlyMap<string, unknown> }
      | undefined;
  };
  readonly pace?: Pace | undefined;
  /** The name of the checkpoint that is made where it can be. */
  readonly checkpoint: string;
}

/** How it went. */
export interface RunningCopied extends Omit<DisksCopyResult, "way"> {
  /** The strategy that was used. */
  readonly way: CopyStrategy;
}

/** A way to copy. */
export interface CopyStrategy {
  /** The qcow2 file that each disk's content is in. */
  readonly files: ReadonlyMap<string, string>;
  /** Disks of which only what changed is in its file. */
  readonly incremental: ReadonlySet<string>;
  /** Whether QEMU notes changes from then on. */
  readonly isNoted: boolean;
}

/**
 * The file that a disk is copied to. @param way number of the strategy: a file that one has left is not used
 * by another
 */
export const spooled = (spool: string, target: string, way = 0): string => `${spool}/${target}.${way}.qcow2`;

/** The ways to copy disks, the best one first: what changed; all, with notes for the next time; all. */
function waysOf({ disks, spool, plan: { base, noted } }: RunningCopy): CopyStrategy[] {
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
function asked({ vm, plan: { base, noted }, checkpoint }: RunningCopy, way: CopyStrategy) {
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

/** VMs of each host that are copied now → the end of that. */
const copied = new WeakMap<LibvirtHost, Map<string, Promise<void>>>();

/** Whether QEMU copies the disks of a VM for a backup or an increment of a replica. */
export const isBeingCopied = (host: LibvirtHost, vmId: string): boolean =>
  copied.get(host)?.has(vmId) === true;

/** Has a VM to oneself: libvirt takes one copy of it at a time. @throws the reason of the job's end */
async function turnOf({ host, vm, job }: Pick<RunningCopy, "host" | "vm" | "job">): Promise<Disposable> {
  const all = copied.get(host) ?? new Map<string, Promise<void>>();
  copied.set(host, all);
  const stopped = Promise.withResolvers<void>(), stop = () => stopped.resolve();
  job.signal.addEventListener("abort", stop, { once: true });
  try {
    let isTold = false;
    for (let other = all.get(vm.id); other !== undefined; other = all.get(vm.id)) {
      if (!isTold) job.log(message`${vmName(vm)}: waits until its disks are not being copied any more`);
      isTold = true;
      await Promise.race([other, stopped.promise]);
      job.signal.throwIfAborted();
    }
  } finally {
    job.signal.removeEventListener("abort", stop);
  }
  const { promise: over, resolve } = Promise.withResolvers<void>();
  all.set(vm.id, over);
  return {
    [Symbol.dispose]: () => {
      all.delete(vm.id);
      resolve();
    },
  };
}

/**
 * Copies disks of a VM that runs, once no other backup or increment of a replica does. When it fails or is cancelled, QEMU is
 * told to stop copying; the VM runs on.
 *
 * @throws {ContractError} VmBusy, BackupNotPossible, BackupFailed, the reason of the job's end
 */
export async function copyRunning(copy: RunningCopy): Promise<RunningCopied> {
  const { host, vm, disks, spool, pace, steps, job, clock, onBytes, onMoment } = copy;
  const ways = waysOf(copy);
  using _turn = await turnOf(copy);
  try {
    const result = await copyDisks({
      host,
      vm,
      steps,
      job,
      clock,
      onBytes,
      onMoment,
      targets: disks.map(({ target }) => target),
      ways: ways.map((way) => asked(copy, way)),
      isOurs: spool.isOurs,
      require: spool.requireRoom,
      bytesPerSecond: pace?.bytesPerSecond,
      label: "beginning a backup",
      refused: () =>
        new ContractError("BackupNotPossible", {
          reason: "another program, or a clone, is copying its disks just now",
        }),
      failed: (error, cause) => new ContractError("BackupFailed", { error }, { cause }),
    });
    return { ...result, way: ways[result.way]! };
  } catch (error) {
    throw contractError(error, "BackupFailed", "run_backup_now");
  }
}
