/** What is kept of jobs, so that they are still known after a restart. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Job, JobLine } from "../../lib/contract/jobs.ts";
import type { Store } from "../store/store.ts";

/** A job as it is kept. */
export interface JobRecord {
  readonly job: Job;
  readonly log: readonly JobLine[];
  /** What to do when KVM Manager ends before the job does. */
  readonly advice: string;
}

/** Jobs kept; older ones are forgotten. */
export const JOBS_KEPT = 200;

export class JobRecords {
  readonly #store: Store;
  readonly #onStored: (stored: JobRecord[]) => void;
  #save: StatementSync | undefined;
  #prune: StatementSync | undefined;

  /** @param onStored given the newest stored jobs, oldest first, whenever the database is opened */
  constructor(store: Store, onStored: (stored: JobRecord[]) => void) {
    this.#store = store;
    this.#onStored = onStored;
    store.attach((database) => this.#prepare(database));
  }

  /** Keeps jobs as they are now. Never throws; @returns whether it was written */
  save(records: readonly JobRecord[]): boolean {
    if (records.length === 0) return true;
    return this.#store.write(() => {
      for (const { job, log, advice } of records) {
        this.#save?.run(job.id, job.startedAt, job.state, JSON.stringify(job), JSON.stringify(log), advice);
      }
      this.#prune?.run(JOBS_KEPT);
    });
  }

  #prepare(database: DatabaseSync): void {
    this.#save = database.prepare(
      "INSERT INTO jobs (id, started_at, state, record, log, advice) VALUES (?, ?, ?, ?, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record, log = excluded.log",
    );
    this.#prune = database.prepare(
      "DELETE FROM jobs WHERE rowid <= (SELECT rowid FROM jobs ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
    );
    const rows = database.prepare("SELECT record, log, advice FROM jobs ORDER BY rowid DESC LIMIT ?").all(
      JOBS_KEPT,
    );
    // Rows are ours alone: the database is checked when it is opened, and nobody else writes it.
    this.#onStored(
      rows.reverse().map(({ record, log, advice }) => ({
        job: JSON.parse(String(record)) as Job,
        log: JSON.parse(String(log)) as JobLine[],
        advice: String(advice),
      })),
    );
  }
}
