/** Schedules and their runs as they are kept. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import {
  ContractError,
  type Input,
  type MissedPolicy,
  type Schedule,
  SCHEDULE_RUNS_KEPT,
  type ScheduleRun,
} from "../../lib/contract/mod.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import { ON_TIME_MS } from "../../lib/schedules/due.ts";
import type { Timing } from "../../lib/schedules/timing.ts";
import type { Delegator } from "../access/delegation.ts";
import type { Store } from "../store/store.ts";

/** A run as it is kept. */
export type StoredScheduleRun = Unrendered<ScheduleRun>;

/** A schedule as it is kept. */
export interface StoredSchedule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly action: Schedule["action"];
  readonly targets: Required<NonNullable<Input<"create_schedule">["targets"]>>;
  readonly timing: Timing;
  /** Seconds. */
  readonly deadlineSeconds: number;
  readonly force: boolean;
  /** Snapshots of its own that a VM keeps. */
  readonly keep: number;
  /** The backup that runs. */
  readonly backupId?: string;
  readonly missed: MissedPolicy;
  readonly owner: Delegator;
  readonly createdAt: number;
  /** Ids of the VMs that its last run by itself had, since its targets were saved. */
  readonly covered?: readonly string[];
  /** Ids of VMs that an earlier one had, and that one had not. */
  readonly leftOut?: readonly string[];
  /** Milliseconds since 1970: what was due up to then was run, or is never. */
  readonly handled: number;
}

export const SCHEDULE_MIGRATIONS = [
  `CREATE TABLE schedules (
     id         TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,  -- ms since 1970
     handled    INTEGER NOT NULL,  -- ms since 1970: what was due up to then was run, or is never
     record     TEXT NOT NULL      -- JSON: the rest of it
   ) STRICT;
   CREATE TABLE schedule_runs (
     id          TEXT PRIMARY KEY,
     schedule_id TEXT NOT NULL,
     slot        INTEGER,           -- ms since 1970 when it was due; missing: somebody asked for it
     started_at  INTEGER NOT NULL,  -- ms since 1970
     state       TEXT NOT NULL,
     record      TEXT NOT NULL,     -- JSON: the run
     UNIQUE (schedule_id, slot)     -- a time is run once, whatever the clock does
   ) STRICT;
   CREATE INDEX schedule_runs_by_start ON schedule_runs (schedule_id, started_at);`,
  // Why runs failed before this names VMs, and counts them, in the text alone: it is told to who sees every VM.
  `UPDATE schedule_runs SET record = json_set(record, '$.message',
       json_object('$foreign', json_extract(record, '$.message'), 'vmIds', json_array('')))
     WHERE json_type(record, '$.message') = 'text';`,
];

type Row = Record<string, SQLOutputValue>;

// Rows are ours alone: the database is checked when it is opened, and no other program writes it.
const scheduleOf = ({ record, handled }: Row): StoredSchedule => ({
  ...JSON.parse(String(record)),
  handled: Number(handled),
});
const runOf = ({ record }: Row) => JSON.parse(String(record)) as StoredScheduleRun;

interface Statements {
  readonly put: StatementSync;
  readonly handle: StatementSync;
  readonly remove: StatementSync;
  readonly begin: StatementSync;
  readonly giveUp: StatementSync;
  readonly end: StatementSync;
  readonly prune: StatementSync;
  readonly forget: StatementSync;
  readonly history: StatementSync;
  readonly unfinished: StatementSync;
}

function putInto({ put }: Statements, { id, createdAt, handled, ...rest }: StoredSchedule): void {
  put.run(id, createdAt, handled, JSON.stringify({ id, createdAt, ...rest }));
}

export class ScheduleRecords {
  readonly #store: Store;
  /** Rows of the database; read when it is opened, written through. */
  readonly #schedules = new Map<string, StoredSchedule>();
  readonly #lastRuns = new Map<string, StoredScheduleRun>();
  /** Runs whose newest state is not written yet, by id. */
  readonly #unwritten = new Map<string, StoredScheduleRun>();
  #statements: Statements | undefined;

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#prepare(database));
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): void {
    if (this.#store.open() === undefined) throw this.#unavailable();
  }

  /** Every one, the oldest first. */
  all(): readonly StoredSchedule[] {
    return [...this.#schedules.values()];
  }

  get(id: string): StoredSchedule | undefined {
    return this.#schedules.get(id);
  }

  /** The run that began last. */
  lastRun(id: string): StoredScheduleRun | null {
    return this.#lastRuns.get(id) ?? null;
  }

  /** Writes a schedule. @throws {ContractError} StoreUnavailable */
  put(schedule: StoredSchedule): void {
    this.#write((statements) => putInto(statements, schedule));
    this.#schedules.set(schedule.id, schedule);
  }

  /**
   * Keeps which VMs the last run of a schedule had, and writes it as soon as that works: a run is not failed by a disk that
   * is full while it ends.
   */
  keepCovered(id: string, covered: Pick<StoredSchedule, "covered" | "leftOut">): void {
    const schedule = this.#schedules.get(id);
    if (schedule === undefined) return;
    this.#schedules.set(id, { ...schedule, ...covered });
    this.#store.keep(`VMs of a schedule ${id}`, () => {
      const kept = this.#schedules.get(id);
      if (kept !== undefined) putInto(this.#statements!, kept);
    });
  }

  /** Removes a schedule with its history. @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write(({ remove, forget }) => {
      remove.run(id);
      forget.run(id);
    });
    this.#schedules.delete(id);
    this.#lastRuns.delete(id);
  }

  /** Writes up to when everything was run or skipped. @throws {ContractError} StoreUnavailable */
  handle(schedule: StoredSchedule, handled: number): void {
    this.#write(({ handle }) => handle.run(handled, schedule.id));
    this.#schedules.set(schedule.id, { ...schedule, handled });
  }

  /**
   * Writes, before the work begins, that there is a run, and up to when everything is handled by it: one step. A run of
   * the same time that was late, and began in a future that is none, was one of a clock that was ahead: it gives the time
   * up.
   *
   * @returns whether it is to be carried out: no where its time was run before
   * @throws {ContractError} StoreUnavailable
   */
  begin(schedule: StoredSchedule, run: StoredScheduleRun, handled: number): boolean {
    let isNew = false;
    this.#write(({ begin, giveUp, handle, prune }) => {
      giveUp.run(schedule.id, run.slot, run.startedAt, ON_TIME_MS);
      const { changes } = begin.run(
        run.id,
        schedule.id,
        run.slot,
        run.startedAt,
        run.state,
        JSON.stringify(run),
      );
      isNew = Number(changes) > 0;
      handle.run(handled, schedule.id);
      prune.run(schedule.id, schedule.id, SCHEDULE_RUNS_KEPT);
    });
    this.#schedules.set(schedule.id, { ...schedule, handled });
    if (isNew) this.#lastRuns.set(schedule.id, run);
    return isNew;
  }

  /** Keeps how a run is now, and writes it as soon as that works; one of a deleted schedule is gone with it. */
  update(scheduleId: string, run: StoredScheduleRun): void {
    if (!this.#schedules.has(scheduleId)) return;
    // What is shown is true, whatever becomes of the disk.
    if (this.#lastRuns.get(scheduleId)?.id === run.id) this.#lastRuns.set(scheduleId, run);
    this.#unwritten.set(run.id, run);
    this.#store.keep(
      `run of a schedule ${run.id}`,
      () => void this.#statements!.end.run(run.state, JSON.stringify(run), run.id),
      () => void this.#unwritten.delete(run.id),
    );
  }

  #runOf(row: Row): StoredScheduleRun {
    const run = runOf(row);
    return this.#unwritten.get(run.id) ?? run;
  }

  /** Runs that are written down as under way: their schedules, and they. @throws {ContractError} StoreUnavailable */
  unfinished(): { readonly scheduleId: string; readonly run: StoredScheduleRun }[] {
    this.require();
    return this.#statements!.unfinished.all().map((row) => ({
      scheduleId: String(row.schedule_id),
      run: this.#runOf(row),
    })).filter(({ run }) => run.state === "running");
  }

  /** The runs of a schedule, the newest first. @throws {ContractError} StoreUnavailable */
  history(id: string, limit: number): StoredScheduleRun[] {
    this.require();
    return this.#statements!.history.all(id, limit).map((row) => this.#runOf(row));
  }

  #write(run: (statements: Statements) => void): void {
    if (!this.#store.write(() => run(this.#statements!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #prepare(database: DatabaseSync): void {
    this.#statements = {
      put: database.prepare(
        "INSERT INTO schedules (id, created_at, handled, record) VALUES (?, ?, ?, ?) " +
          "ON CONFLICT (id) DO UPDATE SET handled = excluded.handled, record = excluded.record",
      ),
      handle: database.prepare("UPDATE schedules SET handled = ? WHERE id = ?"),
      remove: database.prepare("DELETE FROM schedules WHERE id = ?"),
      begin: database.prepare(
        "INSERT OR IGNORE INTO schedule_runs (id, schedule_id, slot, started_at, state, record) " +
          "VALUES (?, ?, ?, ?, ?, ?)",
      ),
      giveUp: database.prepare(
        "UPDATE schedule_runs SET slot = NULL, record = json_set(record, '$.slot', NULL) " +
          "WHERE schedule_id = ?1 AND slot = ?2 AND started_at > ?3 AND started_at - slot > ?4",
      ),
      end: database.prepare("UPDATE schedule_runs SET state = ?, record = ? WHERE id = ?"),
      prune: database.prepare(
        "DELETE FROM schedule_runs WHERE schedule_id = ? AND rowid <= (SELECT rowid FROM schedule_runs " +
          "WHERE schedule_id = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
      ),
      forget: database.prepare("DELETE FROM schedule_runs WHERE schedule_id = ?"),
      history: database.prepare(
        "SELECT record FROM schedule_runs WHERE schedule_id = ? ORDER BY rowid DESC LIMIT ?",
      ),
      unfinished: database.prepare("SELECT schedule_id, record FROM schedule_runs WHERE state = 'running'"),
    };
    this.#schedules.clear();
    for (const row of database.prepare("SELECT * FROM schedules ORDER BY created_at, rowid").all()) {
      const schedule = scheduleOf(row);
      this.#schedules.set(schedule.id, schedule);
    }
    this.#lastRuns.clear();
    const last = database.prepare(
      "SELECT schedule_id, record FROM schedule_runs WHERE rowid IN " +
        "(SELECT max(rowid) FROM schedule_runs GROUP BY schedule_id)",
    ).all();
    for (const row of last) this.#lastRuns.set(String(row.schedule_id), this.#runOf(row));
  }
}
