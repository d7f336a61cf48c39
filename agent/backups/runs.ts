/** Runs of backups: begun, carried out as tasks, written down. */
import { leftOutOf } from "../../lib/coverage/coverage.ts";
import { leftOutText } from "../coverage/left_out.ts";
import { type PruneMoment, toPrune } from "../../lib/backup/retention.ts";
import type { BackupManifest } from "../../lib/backup/manifest.ts";
import { disksToCopy } from "../../lib/backup/disks.ts";
import { type Backup, ContractError, type Output, type VM } from "../../lib/contract/mod.ts";
import { message, type Sentence, type Unrendered, vmName } from "../../lib/i18n/message.ts";
import { sentenceOf } from "../../lib/contract/errors.ts";
import { type Clock, hostZone } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle, Jobs } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { scheduleTargetsIn } from "../schedules/actions.ts";
import type { BootTests } from "./boot_tests.ts";
import { type Copied, copyVm } from "./copy_vm.ts";
import { mapConcurrent } from "./map_concurrent.ts";
import { Pace } from "../pace.ts";
import type { BackupRecords, StoredBackup, StoredBackupRun, StoredCopy } from "./records.ts";
import { closing, type Repository } from "./repository.ts";
import { copyOf, type OpenBackup, shownRun } from "./run_history.ts";
import { SpoolFull } from "./spool.ts";
import { within } from "../within.ts";

/** Services of runs. */
export interface RunsOptions {
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "run">;
  /** KVM Manager's state folder. */
  readonly stateDir: string;
  readonly open: OpenBackup;
  /** The host whose VMs are copied: the one KVM Manager runs on. */
  readonly host: () => LibvirtHost;
  readonly bootTests: Pick<BootTests, "after">;
  /** Present or last name of a VM; undefined if unknown. */
  readonly nameOf: (vmId: string) => string | undefined;
  /** From when on an id is that of the VM which has it now, milliseconds since 1970. */
  readonly since: (vmId: string) => number;
}

/** A VM that is meant, or one that is not to be found. */
type Meant = { readonly vm: VM } | { readonly missing: string };

/** How a job ended, as a run says it. */
function endOf(thrown: unknown): Pick<StoredBackupRun, "state" | "message"> {
  if (thrown === undefined) return { state: "done", message: null };
  if (!(thrown instanceof ContractError)) {
    return { state: "failed", message: "An internal error occurred. The log has more" };
  }
  return thrown.code === "JobCancelled"
    ? { state: "cancelled", message: "The task was cancelled" }
    : { state: "failed", message: thrown.sentence };
}

const failedCopy = (vmId: string, name: string, why: Sentence): StoredCopy => ({
  vmId,
  name,
  state: "failed",
  message: why,
  takenAt: null,
  consistency: null,
  bytes: 0,
  storedBytes: 0,
  readBytes: null,
  disks: [],
  copyId: null,
});

/** Errors for what another copy holds: an image that both VMs are built on, room for what QEMU copies. */
const HELD: ReadonlySet<string> = new Set(["VmBusy", "StorageBusy", "VolumeInUse"]);

const isInTheWay = (error: unknown): boolean =>
  error instanceof SpoolFull || (error instanceof ContractError && HELD.has(error.code));

export class BackupRuns {
  readonly #records: BackupRecords;
  readonly #options: RunsOptions;
  /** By id of the backup. */
  readonly #running = new Map<
    string,
    { run: StoredBackupRun; readonly work: Promise<void>; readonly isFull: boolean }
  >();
  #isSettled = false;
  /** Aborted once the application stops: what ends then was not cancelled by somebody. */
  #stopping: AbortSignal | undefined;

  constructor(records: BackupRecords, options: RunsOptions) {
    this.#records = records;
    this.#options = options;
  }

  /** @param stopping aborted once the application stops */
  watch(stopping: AbortSignal): void {
    this.#stopping = stopping;
  }

  isRunning(backupId: string): boolean {
    return this.#running.has(backupId);
  }

  /** Ends what runs, as far as the time allows: the jobs have been told. */
  async stop(): Promise<void> {
    await within(1000, Promise.all([...this.#running.values()].map(({ work }) => work)));
    for (const [id, { run }] of this.#running) this.#interrupt(id, run);
  }

  /**
   * Runs an earlier process has left are no more, which is said. What their copies have left in QEMU and on the host, and
   * guests that are frozen, are settled as the steps of operations.
   */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const ours = new Set([...this.#running.values()].map(({ run }) => run.id));
    for (const { backupId, run } of this.#records.unfinished()) {
      if (ours.has(run.id)) continue;
      this.#interrupt(backupId, run);
    }
  }

  /**
   * Begins a run; the one that is under way, where it is asked for once more.
   *
   * @param isFull reads disks in full, also where only what changed could be read
   * @throws {ContractError} BackupRunning, StoreUnavailable
   */
  begin(backup: StoredBackup, actor: string, isFull = false): Unrendered<Output<"run_backup_now">> {
    const { id: backupId, name } = backup;
    const running = this.#running.get(backupId);
    if (running !== undefined) {
      // Asked for once more, it is the same run; one that reads in full has all that another would have.
      if (isFull && !running.isFull) throw new ContractError("BackupRunning", { name });
      return { ...shownRun(this.#records, running.run, { found: false, copies: [] }), joined: true };
    }
    const now = this.#options.clock.now();
    const jobId = crypto.randomUUID();
    const run: StoredBackupRun = {
      id: crypto.randomUUID(),
      startedAt: now,
      endedAt: null,
      state: "running",
      actor,
      jobId,
      message: null,
      copies: [],
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { run, work: promise, isFull };
    this.#running.set(backupId, entry);
    try {
      this.#records.putRun(backupId, run);
    } catch (error) {
      this.#running.delete(backupId);
      resolve();
      throw error;
    }
    this.#work(backup, entry, jobId, isFull).finally(resolve);
    return shownRun(this.#records, entry.run, { found: false, copies: [] });
  }

  /** Writes down that a run which was due did not begin. */
  refused(backup: StoredBackup, actor: string, why: Sentence): void {
    const now = this.#options.clock.now();
    this.#records.keepRun(backup.id, {
      id: crypto.randomUUID(),
      startedAt: now,
      endedAt: now,
      state: "failed",
      actor,
      message: why,
      jobId: null,
      copies: [],
    });
  }

  /**
   * Writes down that a run which was due is left out. During one run that is one row, however often: the history is bounded,
   * and would lose the runs that made copies.
   *
   * @param slot when it was due
   */
  skipped(backup: StoredBackup, actor: string, slot: number, message: string): void {
    const now = this.#options.clock.now(), [newest] = this.#records.runs(backup.id, 1);
    const isAgain = this.isRunning(backup.id) && newest?.state === "skipped" && newest.message === message;
    this.#records.keepRun(backup.id, {
      ...isAgain ? newest : { id: crypto.randomUUID(), startedAt: slot },
      endedAt: now,
      state: "skipped",
      actor,
      message,
      jobId: null,
      copies: [],
    });
  }

  /** Carries a run out as a job, and writes how it ended. Never fails. */
  async #work(
    backup: StoredBackup,
    entry: { run: StoredBackupRun },
    jobId: string,
    isFull: boolean,
  ): Promise<void> {
    const { id, name } = backup;
    const set = (change: Partial<StoredBackupRun>) => {
      entry.run = { ...entry.run, ...change };
      this.#records.keepRun(id, entry.run);
    };
    let thrown: unknown, leftOut: Sentence | undefined;
    try {
      await this.#options.jobs.run({
        id: jobId,
        command: "run_backup_now",
        title: message`Backup job ${name}`,
        actor: entry.run.actor,
        ifInterrupted:
          "Copies that were whole are kept, the one that was not is removed. The VMs are as they were. " +
          "Run the backup job again.",
      }, async (job) => {
        leftOut = this.#noteCovered(backup, job);
        const repository = await this.#options.open(backup);
        const carryOut = () => this.#carryOut({ backup, repository, run: entry.run, isFull, job }, set);
        await closing(repository, () => repository.locked("write", true, carryOut));
      });
    } catch (error) {
      thrown = error;
      if (!(error instanceof ContractError)) log.error("a backup failed unexpectedly", { name, error });
    }
    this.#running.delete(id);
    if (this.#stopping?.aborted && thrown !== undefined) return this.#interrupt(id, entry.run);
    const end = endOf(thrown);
    const both = end.message !== null && leftOut !== undefined;
    const told = both ? message`${end.message}. ${leftOut}` : end.message ?? leftOut ?? null;
    set({ ...end, message: told, endedAt: this.#options.clock.now() });
    void this.#options.bootTests.after(backup, entry.run, () => this.#options.open(backup));
  }

  async #carryOut(
    { backup, repository, run, isFull, job }: {
      readonly backup: StoredBackup;
      readonly repository: Repository;
      readonly run: StoredBackupRun;
      readonly isFull: boolean;
      readonly job: JobHandle;
    },
    set: (change: Partial<StoredBackupRun>) => void,
  ): Promise<void> {
    const { clock, nameOf } = this.#options, host = this.#options.host();
    if (await repository.hasLeftovers()) {
      job.log("Removing what an earlier run has left");
      if (!await this.#sweep(repository, job)) await repository.doubtUnnamed();
    }
    const meant = this.#meant(backup, host);
    if (meant.length === 0) throw new ContractError("BackupFailed", { error: "no VM is meant by it" });
    const count = { $vms: meant.length }, { parallel } = backup;
    job.log(
      parallel > 1 ? message`${count} VMs are meant, ${parallel} at once` : message`${count} VMs are meant`,
    );
    const sizeOf = ({ disks }: VM) =>
      2 * disksToCopy(disks).disks.reduce((sum, { capacityBytes = 0 }) => sum + capacityBytes, 0);
    const total = meant.reduce((sum, each) => sum + ("vm" in each ? sizeOf(each.vm) : 0), 0);
    const done = meant.map(() => 0);
    const slots: (StoredCopy | undefined)[] = meant.map((each) =>
      "vm" in each
        ? undefined
        : failedCopy(each.missing, nameOf(each.missing) ?? each.missing, "It is gone, or on another host")
    );
    const keep = () => set({ copies: slots.filter((copy) => copy !== undefined) });
    keep();
    const limit = backup.maxMibPerSecond * 1024 ** 2;
    /** Copies the VM of a place. @param share among how many the limit is shared @returns whether it is over */
    const copy = async (place: number, share: () => number, isAlone: boolean): Promise<boolean> => {
      job.signal.throwIfAborted();
      const { vm } = meant[place] as { readonly vm: VM };
      job.log(message`Copying ${vmName(vm)}`);
      const tell = (bytes: number) => {
        done[place] = Math.max(done[place]!, Math.min(bytes, sizeOf(vm)));
        job.progress(done.reduce((sum, each) => sum + each, 0), total);
      };
      const pace = limit > 0 ? new Pace(clock, () => limit / share()) : undefined;
      const context = {
        host,
        repository,
        backup,
        run,
        job,
        clock,
        isFull,
        pace,
        stateDir: this.#options.stateDir,
        onBytes: tell,
      };
      const copied = await this.#copy(context, vm, job, isAlone);
      if (copied === undefined) return false;
      slots[place] = copied;
      tell(sizeOf(vm));
      keep();
      return true;
    };
    const places = meant.flatMap((each, place) => "vm" in each ? [place] : []);
    const later = await mapConcurrent(places, backup.parallel, copy);
    for (const place of later) await copy(place, () => 1, true);
    const copies = slots.filter((copied) => copied !== undefined);
    const made = new Set(copies.flatMap(({ copyId }) => copyId ?? []));
    const timeZone = backup.timing?.timeZone ?? hostZone();
    await this.#prune(backup, repository, job, { now: clock.now(), made, timeZone });
    const failed = copies.filter(({ state }) => state === "failed");
    if (failed.length === 0) return;
    const { vmId: id, name, message: why } = failed[0]!, first = message`${vmName({ id, name })}: ${why}`;
    const counts = { failed: { $vms: failed.length }, all: { $vms: copies.length } };
    throw new ContractError("BackupRunFailed", { ...counts, first });
  }

  /**
   * Copies one VM; another one's failure is none of the others'.
   *
   * @param isAlone no other VM is copied at the same time
   * @returns undefined where others were in its way: it is copied once they have ended
   * @throws the reason of the job's end
   */
  async #copy(
    context: Parameters<typeof copyVm>[0],
    vm: VM,
    job: JobHandle,
    isAlone: boolean,
  ): Promise<StoredCopy | undefined> {
    let copied: Copied;
    try {
      copied = await copyVm(context, vm.id);
    } catch (thrown) {
      job.signal.throwIfAborted();
      if (!isAlone && isInTheWay(thrown)) {
        job.log(message`${vmName(vm)}: waits until the others are copied: ${sentenceOf(thrown)}`);
        return undefined;
      }
      const error = contractError(thrown, "BackupFailed", "run_backup_now");
      if (!(error instanceof ContractError)) log.error("a VM could not be backed up", { vm: vm.name, error });
      const why = sentenceOf(error);
      job.log(message`${vmName(vm)}: failed (${why})`);
      return failedCopy(vm.id, vm.name, why);
    }
    job.log(message`${vmName(vm)}: done`);
    const { host, run, backup } = context;
    host.record({
      actor: run.actor,
      door: "agent",
      action: "vm-backed-up",
      result: "event",
      vmId: vm.id,
      vmName: vm.name,
      message: `By the backup job “${backup.name}”`,
    });
    return copyOf(copied.manifest, copied.notes);
  }

  /**
   * Notes which VMs a run has, and says which of those before it has not, although they are there: they have lost a tag or
   * their group.
   *
   * @returns the same, as the run's message has it; undefined where there are none
   */
  #noteCovered(backup: StoredBackup, job: JobHandle): Sentence | undefined {
    const { nameOf } = this.#options, host = this.#options.host();
    const found = this.#meant(backup, host).flatMap((each) => "vm" in each ? [each.vm] : []);
    const leftOut = leftOutOf(backup, found, host.inventory.vms()),
      covered = found.map(({ id }) => id).sort();
    const isSame = JSON.stringify([backup.covered, backup.leftOut]) === JSON.stringify([covered, leftOut]);
    if (!isSame) this.#records.keepCovered(backup.id, { covered, leftOut });
    if (leftOut.length === 0) return undefined;
    const text = leftOutText(leftOut, nameOf);
    job.log(text);
    for (const vmId of leftOut) {
      if (backup.leftOut?.includes(vmId)) continue;
      host.record({
        actor: "kvm-manager",
        door: "agent",
        action: "backup-left-out",
        result: "event",
        vmId,
        vmName: nameOf(vmId) ?? vmId,
        message: `By the backup “${backup.name}”, which had it before`,
      });
    }
    return text;
  }

  #meant({ targets }: StoredBackup, host: LibvirtHost): Meant[] {
    const vms = [...host.requireFilled().inventory.vms()].sort((a, b) => a.name.localeCompare(b.name));
    if (targets.all) return vms.map((vm) => ({ vm }));
    const { found, missing } = scheduleTargetsIn(vms, targets);
    return [...found.map((vm) => ({ vm })), ...missing.map((id) => ({ missing: id }))];
  }

  /** Removes what no copy needs. @returns whether that was done */
  async #sweep(repository: Repository, job: JobHandle): Promise<boolean> {
    let isSwept = false;
    await this.#deleting(repository, job, async () => {
      isSwept = await this.#freed(repository, job);
    });
    return isSwept;
  }

  /** Deletes while there is no reader. Where somebody does, that is said, and the next run does it. */
  async #deleting(repository: Repository, job: JobHandle, work: () => Promise<void>): Promise<void> {
    const isDone = await repository.tryLocked("content", true, work);
    if (!isDone) job.log("Copies are being read: what is no longer needed goes next time");
  }

  async #freed(repository: Repository, job: JobHandle): Promise<boolean> {
    const freed = await repository.sweep();
    if (freed === undefined) {
      job.log("A copy cannot be read: what no other copy needs stays, for this one may need it");
      return false;
    }
    if (freed > 0) job.log(message`Freed ${Math.ceil(freed / 1024 ** 2)} MiB`);
    return true;
  }

  /**
   * Deletes the copies of this backup that are too many, unless copies are being read: it may be one of these. Nothing of
   * other backups in the folder is touched.
   */
  async #prune(
    backup: StoredBackup,
    repository: Repository,
    job: JobHandle,
    moment: PruneMoment,
  ): Promise<void> {
    const found = await repository.copies(), there = new Set(found.map(({ id }) => id));
    const own = found.flatMap(({ manifest }) => manifest?.backup.id === backup.id ? [manifest] : []);
    // Copies of a VM that had the id before are another VM's: this one's take no place of theirs
    const { since } = this.#options;
    const vmOf = ({ vm, takenAt }: BackupManifest) => `${vm.id} ${takenAt < since(vm.id) ? "before" : ""}`;
    const gone = [...Map.groupBy(own, vmOf).values()].flatMap((copies) =>
      this.#surplus(copies, backup, moment)
    );
    if (gone.length > 0) {
      await this.#deleting(repository, job, async () => {
        for (const { id } of gone) {
          await repository.remove(id);
          this.#records.forgetCopy(id);
          there.delete(id);
        }
        job.log(message`Deleted ${gone.length} older copies`);
        await this.#freed(repository, job);
      });
    }
    this.#records.dropRuns(backup.id, there);
  }

  /** Copies of a VM that are too many. Damaged ones go in their turn, and take no whole copy's place. */
  #surplus(copies: readonly BackupManifest[], backup: StoredBackup, moment: PruneMoment): BackupManifest[] {
    const isDamaged = ({ id }: BackupManifest) => this.#records.check(id)?.ok === false;
    const sound = copies.filter((copy) => !isDamaged(copy));
    return [...toPrune(sound, backup, moment), ...toPrune(copies, backup, moment).filter(isDamaged)];
  }

  #interrupt(backupId: string, run: StoredBackupRun): void {
    const message = "KVM Manager ended while this was running";
    const endedAt = this.#options.clock.now();
    this.#records.keepRun(backupId, { ...run, state: "interrupted", message, endedAt });
  }
}

/** The targets that are given, made whole. @throws {ContractError} InvalidInput for what is meant for no VM at all */
export function targetsOf(
  { all = false, vmIds = [], tags = [], groups = [] }: Partial<Backup["targets"]>,
): Backup["targets"] {
  if (all || vmIds.length + tags.length + groups.length > 0) return { all, vmIds, tags, groups };
  throw new ContractError("InvalidInput", {
    reason: "targets must name at least one VM, tag or group, or be all VMs",
    field: "targets",
  });
}
