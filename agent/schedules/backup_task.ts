/** Carries out a schedule of backups: has a backup make its copies, and waits for their end. */
import type { Api } from "../../lib/contract/api.ts";
import { type BackupRun, ContractError, type Schedule, type ScheduleRun } from "../../lib/contract/mod.ts";
import { message, type Unrendered } from "../../lib/i18n/message.ts";
import { type Clock, sleep } from "../clock.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { outcomeLine } from "./actions.ts";

type Result = Unrendered<ScheduleRun["results"][number]>;

/** Milliseconds between looks whether the copies are made. */
const LOOK_MS = 1000;

/** Schedule and dependencies of a run of backups. */
export interface BackupTask {
  readonly schedule: Pick<Schedule, "name" | "backupId">;
  /** The commands as who it is done for. */
  readonly api: Pick<Api, "runBackupNow" | "listBackupRuns" | "cancelJob">;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
}

const resultsOf = ({ copies }: BackupRun): Result[] =>
  copies.map(({ vmId, name, state, message }) => ({
    vmId,
    name,
    outcome: state,
    ...(message !== null && { message }),
  }));

/** Runs the backup of one schedule; it is used once. */
export class BackupTaskRun {
  #run: BackupRun | undefined;
  /** A backup job says itself which VMs its run left out. */
  readonly meant = undefined;

  constructor(readonly task: BackupTask) {}

  /** A result for each VM that was copied, or was to be. */
  results(): Result[] {
    return this.#run === undefined ? [] : resultsOf(this.#run);
  }

  /**
   * Has the backup run, or joins the run that is under way, and waits for its end. Where this is cancelled, a run that
   * it began is ended; one of others goes on.
   *
   * @throws {ContractError} the refusal of the backup, ScheduleRunFailed where it failed as a whole
   */
  async run(): Promise<void> {
    const { schedule, api, job, clock } = this.task, backupId = schedule.backupId ?? "";
    const begun = await api.runBackupNow({ backupId });
    this.#run = begun;
    const isOurs = begun.joined !== true;
    job.log(
      message`The backup ${isOurs ? "runs" : "was running already"}${
        begun.jobId === null ? "" : ` as task ${begun.jobId}`
      }`,
    );
    try {
      while (this.#run.state === "running") {
        await sleep(clock, LOOK_MS, job.signal);
        job.signal.throwIfAborted();
        const [now] = await api.listBackupRuns({ backupId, runId: begun.id });
        if (now === undefined) throw new ContractError("BackupRunNotFound", { runId: begun.id });
        this.#run = now;
      }
    } catch (error) {
      if (isOurs && job.signal.aborted && begun.jobId !== null) await api.cancelJob({ jobId: begun.jobId });
      throw error;
    }
    this.#tellEnd(this.#run);
  }

  /** @throws {ContractError} ScheduleRunFailed where no single copy says why it failed */
  #tellEnd(run: BackupRun): void {
    for (const { vmId, name, ...outcome } of resultsOf(run)) {
      this.task.job.log(outcomeLine({ id: vmId, name }, outcome));
    }
    const hasReason = run.copies.some(({ state }) => state === "failed");
    if (run.state === "done" || hasReason) return;
    const all = run.copies.length;
    throw new ContractError("ScheduleRunFailed", {
      failed: { $vms: all },
      all: { $vms: all },
      first: run.message === null ? message`the backup was ${run.state}` : message`${run.message}`,
    });
  }
}
