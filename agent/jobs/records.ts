/** Records of jobs, so that they are still known after a restart. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Job, type JobLine, MOST_JOBS } from "../../lib/contract/jobs.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { Store } from "../store/store.ts";

/** A job as it is kept. */
export interface JobRecord {
  readonly job: Unrendered<Job>;
  readonly log: readonly Unrendered<JobLine>[];
  /** Advice when KVM Manager ends before the job does. */
  readonly advice: string;
}

/** Jobs that are kept of each account, so that one account's do not push out another's; and of all accounts together. */
export const JOBS_KEPT = { account: 200, all: MOST_JOBS } as const;

export class JobRecords {
  readonly #store: Store;
  readonly #onStored: (stored: JobRecord[]) => void;
  #save: StatementSync | undefined;
  #forget: StatementSync | undefined;

  /** @param onStored given the stored jobs, oldest first, whenever the database is opened */
  constructor(store: Store, onStored: (stored: JobRecord[]) => void) {
    this.#store = store;
    this.#onStored = onStored;
    store.attach((database) => this.#prepare(database));
  }

  /** Keeps jobs as they are now, and forgets others. Never throws; @returns whether it was written */
  save(records: readonly JobRecord[], forgotten: Iterable<string> = []): boolean {
    const ids = [...forgotten];
    if (records.length + ids.length === 0) return true;
    return this.#store.write(() => {
      for (const { job: { waitsFor: _nowOnly, place: _nowOnlyToo, ...job }, log, advice } of records) {
        this.#save?.run(job.id, job.startedAt, job.state, JSON.stringify(job), JSON.stringify(log), advice);
      }
      for (const id of ids) this.#forget?.run(id);
    });
  }

  /** Calls once the database may be written again. */
  again(run: () => void): void {
    this.#store.again("jobs", run);
  }

  #prepare(database: DatabaseSync): void {
    this.#save = database.prepare(
      "INSERT INTO jobs (id, started_at, state, record, log, advice) VALUES (?, ?, ?, ?, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record, log = excluded.log",
    );
    this.#forget = database.prepare("DELETE FROM jobs WHERE id = ?");
    const rows = database.prepare("SELECT record, log, advice FROM jobs ORDER BY rowid").all();
    // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
    this.#onStored(
      rows.map(({ record, log, advice }) => ({
        job: JSON.parse(String(record)) as JobRecord["job"],
        log: JSON.parse(String(log)) as JobRecord["log"],
        advice: String(advice),
      })),
    );
  }
}
