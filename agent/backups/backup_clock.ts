/** Begins backups when they are due. */
import { render, type Sentence } from "../../lib/i18n/message.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { dueOf, handledAt } from "../../lib/schedules/due.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import type { BackupRecords, StoredBackup } from "./records.ts";
import type { BackupRuns } from "./runs.ts";

/** Milliseconds that a run may take to begin, until it is told that its folder or target does not answer. */
const BEGIN_MS = 300_000;

/** Why a run is left out. */
const MISSED = "KVM Manager was not running at that time, and what was missed is skipped";
const OVERLAPS = "The run before was still under way";

/** Services of the backup clock. */
export interface BackupClockOptions {
  readonly clock: Clock;
  readonly records: Pick<BackupRecords, "all" | "get" | "put">;
  readonly runs: Pick<BackupRuns, "watch" | "settle" | "isRunning" | "refused" | "skipped">;
  /** Whether the host was read, so that it is known which VMs there are. */
  readonly isReady: () => boolean;
  /** Begins a run, as who saved the backup. @throws {ContractError} why it does not begin */
  readonly run: (backup: StoredBackup) => Promise<void>;
}

/** Looks at all backups again and again. */
export class BackupClock {
  readonly #options: BackupClockOptions;
  /** Since when the clock has not been set back; milliseconds since 1970. */
  #since: number;
  #lastLook: number;
  /** Ids of backups whose run is to begin: a share that is gone may not answer for hours. */
  readonly #beginning = new Set<string>();

  constructor(options: BackupClockOptions) {
    this.#options = options;
    this.#since = this.#lastLook = options.clock.now();
  }

  /** Looks at every backup once. It waits neither for the runs nor for their beginning. */
  tick(stopping: AbortSignal): void {
    const { clock, records, runs, isReady } = this.#options;
    runs.watch(stopping);
    const now = clock.now();
    if (now < this.#lastLook) this.#since = now;
    this.#lastLook = now;
    if (!isReady()) return;
    try {
      runs.settle();
      for (const { id } of records.all()) this.#look(records.get(id)!, now);
    } catch (error) {
      // Nothing runs that could not be written down: it would run again after a restart. The store has said why.
      if (!(error instanceof ContractError)) throw error;
      log.debug("backups wait for the database", { error });
    }
  }

  #look(backup: StoredBackup, now: number): void {
    const { records, runs } = this.#options, { id, timing, missed, owner } = backup;
    if (!backup.enabled || timing === null) return;
    const due = dueOf(timing, handledAt(backup.handled, now, this.#since, backup.onTime), now, missed);
    if (due.what === "wait") return;
    const isOnTime = due.what === "run" && !due.isLate;
    records.put({ ...backup, handled: now, ...(isOnTime && { onTime: due.slot }) });
    if (due.what === "missed") return runs.skipped(backup, owner.name, due.slot, MISSED);
    if (runs.isRunning(id)) return runs.skipped(backup, owner.name, due.slot, OVERLAPS);
    if (this.#beginning.has(id)) {
      return runs.refused(
        backup,
        owner.name,
        "The run before could not begin yet: its target does not answer",
      );
    }
    void this.#begin(backup);
  }

  /** Begins a run; why it does not begin is written into the history. Never fails. */
  async #begin(backup: StoredBackup): Promise<void> {
    const { clock, run } = this.#options, { id, name } = backup;
    this.#beginning.add(id);
    const cancelLimit = clock.after(
      BEGIN_MS,
      () => this.#refuse(backup, "Its folder or target does not answer"),
    );
    try {
      await run(backup);
    } catch (error) {
      if (!(error instanceof ContractError)) log.error("a backup failed unexpectedly", { name, error });
      this.#refuse(backup, (error instanceof ContractError ? error : new ContractError("Internal")).sentence);
    } finally {
      cancelLimit();
      this.#beginning.delete(id);
    }
  }

  #refuse(backup: StoredBackup, why: Sentence): void {
    log.warn("a backup that was due did not run", { backup: backup.name, why: render(why) });
    this.#options.runs.refused(backup, backup.owner.name, why);
  }
}
