/**
 * Has schedules run when they are due: each time once, over restarts and whatever the clock does, and never two runs of
 * one schedule at the same time. That a time is run is written down before the work begins.
 */
import type { Api } from "../../lib/contract/api.ts";
import { leftOutOf } from "../../lib/coverage/coverage.ts";
import { leftOutText } from "../coverage/left_out.ts";
import { ContractError, type VM, type VmState } from "../../lib/contract/mod.ts";
import { message, type Sentence, vmName } from "../../lib/i18n/message.ts";
import { dueOf, handledAt, ON_TIME_MS } from "../../lib/schedules/due.ts";
import { nextRun } from "../../lib/schedules/next_run.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Principal } from "../access.ts";
import { type Clock, sleep } from "../clock.ts";
import type { JobHandle, Jobs } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { TaskRun } from "./actions.ts";
import { BackupTaskRun } from "./backup_task.ts";
import type { ScheduleRecords, StoredSchedule, StoredScheduleRun } from "./records.ts";
import { within } from "../within.ts";

/** Milliseconds between looks at least and at most: the clock may have been set, a schedule changed. */
const LOOK_MS = { least: 200, most: 5000 } as const;
/** Milliseconds that a run waits for a libvirt that is away, at most, and between looks whether it is back. */
const AWAY_MS = { most: 120_000, look: 1000 } as const;
/** VMs whose results a run keeps. */
const RESULTS_KEPT = 100;
/** Names of the actions in a job's title. */
const WORDS = {
  start: "start",
  stop: "shut down",
  reboot: "reboot",
  snapshot: "take a snapshot",
  backup: "back up",
} as const;
/** Texts on a run without a VM. */
const NONE_MEANT = {
  targets: "No VM was meant: none has its tags or is in its groups",
  backup: "The backup has copied no VM",
} as const;

/** Services for runs of schedules: the clock, jobs, the API as an owner, look-up of VMs, and the activity log. */
export interface SchedulerOptions {
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "run">;
  /** The commands as somebody. */
  readonly apiFor: (principal: Principal) => Api;
  /** Principal of a schedule with its present rights; or why it cannot run. @throws {ContractError} StoreUnavailable */
  readonly ownerOf: (schedule: StoredSchedule) => Principal | string;
  readonly stateOf: (vmId: string) => VmState | undefined;
  /** The VM's name, or its last one; undefined where that is not known. */
  readonly nameOf: (vmId: string) => string | undefined;
  /** Every VM, whoever may see it. */
  readonly vms: () => readonly VM[];
  /** Records the part of a run that would not be noticed otherwise. */
  readonly record: (entry: ActivityEntry) => void;
  /**
   * Whether the hosts of a schedule's VMs answer, and were read: after a boot of the host that may take a while. Other hosts
   * do not hold it up.
   */
  readonly isReady: (schedule: StoredSchedule) => boolean;
  /** Milliseconds between looks at most; tests let a year go by with longer ones. */
  readonly lookMs?: number;
}

const NO_RESULTS = { done: 0, unchanged: 0, forced: 0, failed: 0 } as const;

/** The results of a run as they are kept: failures first. */
function summed(results: StoredScheduleRun["results"]): Pick<StoredScheduleRun, "counts" | "results"> {
  const counts = { ...NO_RESULTS };
  for (const { outcome } of results) counts[outcome]++;
  const failed = results.filter(({ outcome }) => outcome === "failed");
  const others = results.filter(({ outcome }) => outcome !== "failed");
  return { counts, results: [...failed, ...others].slice(0, RESULTS_KEPT) };
}

/** How a run ended, by what its work threw. */
function endOf(
  thrown: unknown,
): Pick<StoredScheduleRun, "state"> & Partial<Pick<StoredScheduleRun, "message">> {
  if (thrown === undefined) return { state: "done" };
  const isCancelled = thrown instanceof ContractError && thrown.code === "JobCancelled";
  return isCancelled
    ? { state: "cancelled", message: null }
    : { state: "failed", message: thrown instanceof ContractError ? thrown.sentence : messageOf(thrown) };
}

interface Running {
  run: StoredScheduleRun;
  readonly work: Promise<void>;
  /** Whether the history has that a time was left out because of it. */
  isInTheWay: boolean;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #records: ScheduleRecords;
  /** By id of the schedule. */
  readonly #running = new Map<string, Running>();
  /** Since when the clock has not been set back; milliseconds since 1970. */
  #since: number;
  #lastLook: number;
  #wait = 0;
  #isSettled = false;
  /** Aborted once the application stops: what ends then was not cancelled by somebody. */
  #stopping: AbortSignal | undefined;

  constructor(records: ScheduleRecords, options: SchedulerOptions) {
    this.#records = records;
    this.#options = options;
    this.#since = this.#lastLook = options.clock.now();
  }

  /** Milliseconds until it should look again. */
  get wait(): number {
    return this.#wait;
  }

  isRunning(scheduleId: string): boolean {
    return this.#running.has(scheduleId);
  }

  /** Begins the runs that are due. Their end is not waited for. @param stopping aborted once the application stops */
  tick(stopping?: AbortSignal): void {
    this.#stopping = stopping;
    const now = this.#options.clock.now(), most = this.#options.lookMs ?? LOOK_MS.most;
    if (now < this.#lastLook) this.#since = now;
    this.#lastLook = now;
    this.#wait = most;
    try {
      this.#settle();
      for (const { id } of this.#records.all()) {
        const next = this.#look(this.#records.get(id)!, now);
        if (next !== null) this.#wait = Math.min(this.#wait, Math.max(LOOK_MS.least, next - now));
      }
    } catch (error) {
      // Nothing runs that could not be written down: it would run again after a restart. The store has said why.
      if (!(error instanceof ContractError)) throw error;
      log.debug("schedules wait for the database", { error });
      this.#wait = most;
    }
  }

  /**
   * Runs a schedule at once, as who asks; asked for once more, it is the run that is under way.
   *
   * @returns the run that has begun
   * @throws {ContractError} StoreUnavailable
   */
  runNow(schedule: StoredSchedule, principal: Principal): StoredScheduleRun {
    const running = this.#running.get(schedule.id);
    if (running !== undefined) return running.run;
    return this.#begin(schedule, null, schedule.handled, principal)!;
  }

  /** Ends what runs, as far as the time allows: the jobs have been told. Waits for what was told to write its end. */
  async stop(): Promise<void> {
    await within(500, Promise.all([...this.#running.values()].map(({ work }) => work)));
    for (const [scheduleId, { run }] of this.#running) this.#interrupt(scheduleId, run);
  }

  /** Looks at one schedule. @returns when it is due next; null: never, as far as is known. @throws {ContractError} StoreUnavailable */
  #look(schedule: StoredSchedule, now: number): number | null {
    if (!schedule.enabled) return null;
    const { timing, missed } = schedule;
    const handled = handledAt(schedule.handled, now, this.#since);
    const due = dueOf(timing, handled, now, missed);
    switch (due.what) {
      case "wait":
        return due.next;
      case "missed": {
        const upTo = Math.max(handled, now - ON_TIME_MS);
        const message = "KVM Manager was not running at that time, and what was missed is skipped";
        this.#skip(schedule, due.slot, upTo, message);
        return this.#look(this.#records.get(schedule.id)!, now);
      }
      case "run":
        this.#runDue(schedule, due.slot, now);
        return nextRun(timing, now);
    }
  }

  #runDue(schedule: StoredSchedule, slot: number, now: number): void {
    const running = this.#running.get(schedule.id);
    if (running === undefined) return void this.#begin(schedule, slot, now);
    // Once for each run that takes so long: a minute's schedule would fill its history with it.
    if (running.isInTheWay) return this.#records.handle(schedule, now);
    this.#skip(schedule, slot, now, "The run before was still under way");
    running.isInTheWay = true;
  }

  /** Writes into the history that a time is left out. */
  #skip(schedule: StoredSchedule, slot: number, handled: number, message: string): void {
    const now = this.#options.clock.now();
    const run = { ...this.#newRun(schedule, slot), state: "skipped", endedAt: now, message } as const;
    this.#records.begin(schedule, run, handled);
  }

  #newRun({ owner }: StoredSchedule, slot: number | null, actor = owner.name): StoredScheduleRun {
    return {
      id: crypto.randomUUID(),
      slot,
      startedAt: this.#options.clock.now(),
      endedAt: null,
      state: "running",
      actor,
      jobId: null,
      message: null,
      counts: NO_RESULTS,
      results: [],
    };
  }

  /** @returns the run, or undefined where its time was run before @throws {ContractError} StoreUnavailable */
  #begin(
    schedule: StoredSchedule,
    slot: number | null,
    handled: number,
    by?: Principal,
  ): StoredScheduleRun | undefined {
    const jobId = crypto.randomUUID();
    const run = { ...this.#newRun(schedule, slot, by?.name), jobId };
    if (!this.#records.begin(schedule, run, handled)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { run, work: promise, isInTheWay: false };
    this.#running.set(schedule.id, running);
    this.#work(schedule, running, jobId, by).finally(resolve);
    return running.run;
  }

  /** Carries a run out as a job, and writes how it ended. Never fails. */
  async #work(
    schedule: StoredSchedule,
    running: Running,
    jobId: string,
    by: Principal | undefined,
  ): Promise<void> {
    const { jobs } = this.#options, { id, name, action } = schedule;
    const set = (change: Partial<StoredScheduleRun>) => {
      running.run = { ...running.run, ...change };
      this.#records.update(id, running.run);
    };
    let thrown: unknown;
    try {
      await jobs.run({
        id: jobId,
        command: "run_schedule_now",
        title: `Schedule ${name}: ${WORDS[action]}`,
        actor: running.run.actor,
        ifInterrupted:
          "VMs that were not reached yet are as they were. Run the schedule again if it is still needed.",
      }, async (job) => {
        await this.#carryOut(schedule, job, by, (results) => {
          const none = results.length === 0 ? NONE_MEANT[action === "backup" ? "backup" : "targets"] : null;
          running.run = { ...running.run, ...summed(results), message: none };
        }, (text) => {
          const before = running.run.message;
          running.run = { ...running.run, message: before === null ? text : message`${before}. ${text}` };
        });
      });
    } catch (error) {
      thrown = error;
      if (!(error instanceof ContractError)) log.error("a schedule failed unexpectedly", { name, error });
    }
    this.#running.delete(id);
    if (this.#stopping?.aborted && thrown !== undefined) return this.#interrupt(id, running.run);
    const end = endOf(thrown);
    if (end.state === "failed") {
      this.#record("schedule-failed", schedule, running.run.actor, end.message ?? "");
    }
    set({ ...end, endedAt: this.#options.clock.now() });
  }

  async #carryOut(
    schedule: StoredSchedule,
    job: JobHandle,
    by: Principal | undefined,
    tell: (results: StoredScheduleRun["results"]) => void,
    note: (message: Sentence) => void,
  ): Promise<void> {
    const { clock, stateOf, nameOf, apiFor, ownerOf } = this.#options;
    const principal = by ?? ownerOf(schedule);
    if (typeof principal === "string") {
      throw new ContractError("ScheduleOwnerLost", { name: schedule.owner.name, reason: principal });
    }
    await this.#awaitLibvirt(schedule, job);
    const api = apiFor(principal);
    const { action } = schedule;
    const task = action === "backup"
      ? new BackupTaskRun({ schedule, api, job, clock })
      : new TaskRun({ schedule: { ...schedule, action }, api, job, clock, stateOf, nameOf });
    try {
      await task.run();
    } finally {
      tell(task.results());
      // Somebody who runs it by hand may see other VMs
      if (by === undefined && task.meant !== undefined) {
        this.#noteCovered(schedule, principal.name, task.meant, note);
      }
    }
    const results = task.results();
    const failed = results.filter(({ outcome }) => outcome === "failed");
    if (failed.length === 0) return;
    const { vmId: id, name, message: why } = failed[0]!, first = message`${vmName({ id, name })}: ${why}`;
    const counts = { failed: { $vms: failed.length }, all: { $vms: results.length } };
    throw new ContractError("ScheduleRunFailed", { ...counts, first });
  }

  /** Notes which VMs a run had, and says which of those before it had not. */
  #noteCovered(
    { id, targets }: StoredSchedule,
    actor: string,
    meant: readonly VM[],
    note: (message: Sentence) => void,
  ): void {
    const schedule = this.#records.get(id), { vms, nameOf } = this.#options;
    // Saved again meanwhile: that has been no run of it
    if (schedule === undefined || JSON.stringify(schedule.targets) !== JSON.stringify(targets)) return;
    const leftOut = leftOutOf(schedule, meant, vms()), covered = meant.map((vm) => vm.id).sort();
    const isSame =
      JSON.stringify([schedule.covered, schedule.leftOut]) === JSON.stringify([covered, leftOut]);
    if (!isSame) this.#records.keepCovered(id, { covered, leftOut });
    if (leftOut.length === 0) return;
    const text = leftOutText(leftOut, nameOf);
    note(text);
    const isNew = leftOut.some((vmId) => !(schedule.leftOut ?? []).includes(vmId));
    if (isNew) this.#record("schedule-left-out", schedule, actor, text);
  }

  #record(action: string, { name }: StoredSchedule, actor: string, text: Sentence): void {
    this.#options.record({
      actor,
      door: "schedule",
      action,
      result: "event",
      message: message`Schedule “${name}”: ${text}`,
    });
  }

  /** Waits for libvirt, a bounded time: without it a run would find no VM, or fail for each of them. */
  async #awaitLibvirt(schedule: StoredSchedule, job: JobHandle): Promise<void> {
    const { clock, isReady } = this.#options;
    if (isReady(schedule)) return;
    job.log("Waiting for libvirt");
    const end = clock.monotonic() + AWAY_MS.most;
    while (!isReady(schedule) && clock.monotonic() < end) {
      await sleep(clock, AWAY_MS.look, job.signal);
      job.signal.throwIfAborted();
    }
  }

  /** Runs that an earlier process has left: they are no more. @throws {ContractError} StoreUnavailable */
  #settle(): void {
    if (this.#isSettled) return;
    const ours = new Set([...this.#running.values()].map(({ run }) => run.id));
    for (const { scheduleId, run } of this.#records.unfinished()) {
      if (!ours.has(run.id)) this.#interrupt(scheduleId, run);
    }
    this.#isSettled = true;
  }

  #interrupt(scheduleId: string, run: StoredScheduleRun): void {
    const message = "KVM Manager ended while this was running";
    this.#records.update(scheduleId, {
      ...run,
      state: "interrupted",
      message,
      endedAt: this.#options.clock.now(),
    });
  }
}
