/**
 * What happened: every command that changes something, and what libvirt told of by itself. Entries are written in
 * batches a moment after they happen. When the database cannot be used they wait in memory (the newest thousand), and
 * machines stay controllable.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Activity } from "../../lib/contract/host.ts";
import { log } from "../log.ts";
import { openDatabase, StoreError } from "./database.ts";

/** An entry as it is recorded: what is shown, and what an audit needs beside it. */
export interface ActivityEntry extends Omit<Activity, "id" | "timestamp"> {
  readonly door: string;
  /** The command's input. */
  readonly input?: unknown;
  readonly tookMs?: number;
}

type Row = Activity & Pick<ActivityEntry, "door" | "input" | "tookMs">;

/** Milliseconds from an entry to its writing; entries of that time share one sync to disk. */
const FLUSH_MS = 50;
/** Milliseconds until a database that failed is tried again. */
const RETRY_MS = 10_000;
/** Milliseconds; tests shorten them. */
export interface ActivityTimes {
  readonly flush: number;
  readonly retry: number;
}
/** Entries kept in memory: what the pages show, and what waits for a database. */
const IN_MEMORY = 1000;

export class ActivityLog {
  readonly #dataDir: string;
  readonly #onEntry: (activity: Activity) => void;
  readonly #onTrouble: (trouble: string) => void;
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #waiting: Row[] = [];
  #recent: Activity[] = [];
  #nextId = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #trouble: string | null = null;
  readonly #times: ActivityTimes;

  /** Opens the database in `dataDir`; when that fails, works in memory and tries again later. */
  constructor(
    dataDir: string,
    onEntry: (activity: Activity) => void,
    times: ActivityTimes = { flush: FLUSH_MS, retry: RETRY_MS },
    onTrouble: (trouble: string) => void = () => {},
  ) {
    this.#dataDir = dataDir;
    this.#times = times;
    this.#onEntry = onEntry;
    this.#onTrouble = onTrouble;
    this.#open();
  }

  /** Why nothing is written at the moment, and what to do; null when all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Records an entry and tells it. Never throws: recording must not stand in the way of what is recorded. */
  record(entry: ActivityEntry): Activity {
    const { door, input, tookMs, ...shown } = entry;
    const activity: Activity = { ...shown, id: this.#nextId++, timestamp: Date.now() };
    this.#recent.push(activity);
    this.#waiting.push({
      ...activity,
      door,
      ...(input !== undefined && { input }),
      ...(tookMs !== undefined && { tookMs }),
    });
    if (this.#recent.length > IN_MEMORY) this.#recent.shift();
    // A burst (every machine of a large host at once) must not push entries out that could be written.
    if (this.#waiting.length > IN_MEMORY && this.#trouble === null) this.#flush();
    if (this.#waiting.length > IN_MEMORY) this.#waiting.shift();
    if (this.#waiting.length > 0) {
      this.#timer ??= setTimeout(() => this.#flush(), this.#database ? this.#times.flush : this.#times.retry);
    }
    this.#onEntry(activity);
    return activity;
  }

  /** The newest entries, of all machines or of one, newest first. */
  latest(limit: number, vmId?: string): Activity[] {
    if (vmId === undefined) return this.#recent.slice(-limit).reverse();
    const fresh = this.#recent.filter((activity) => activity.vmId === vmId).reverse();
    if (fresh.length >= limit || !this.#database) return fresh.slice(0, limit);
    try {
      const oldest = this.#recent[0]?.id ?? this.#nextId;
      const rows = this.#database.prepare(
        "SELECT * FROM activity WHERE vm_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
      ).all(vmId, oldest, limit - fresh.length);
      return [...fresh, ...rows.map(toActivity)];
    } catch (error) {
      this.#fail(error);
      return fresh;
    }
  }

  /** Writes what waits and closes. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#flush();
    clearTimeout(this.#timer);
    this.#database?.close();
    this.#database = undefined;
  }

  #open(): void {
    let database: DatabaseSync | undefined;
    try {
      database = openDatabase(this.#dataDir);
      const insert = database.prepare(
        "INSERT INTO activity (id, timestamp, actor, door, action, vm_id, vm_name, result, message, input, took_ms) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      const rows = database.prepare("SELECT * FROM activity ORDER BY id DESC LIMIT ?").all(IN_MEMORY);
      const stored = rows.map(toActivity).reverse();
      const last = stored.at(-1)?.id ?? 0;
      // Entries made while there was no database get their place behind those that are in it.
      if (last >= (this.#waiting[0]?.id ?? Infinity)) {
        const shift = last + 1 - this.#waiting[0]!.id;
        this.#waiting = this.#waiting.map((row) => ({ ...row, id: row.id + shift }));
        this.#recent = this.#recent.map((row) => ({ ...row, id: row.id + shift }));
        this.#nextId += shift;
      }
      this.#recent = [...stored, ...this.#recent].slice(-IN_MEMORY);
      this.#nextId = Math.max(this.#nextId, last + 1);
      this.#database = database;
      this.#insert = insert;
      this.#trouble = null;
    } catch (error) {
      database?.close(); // or a table that is not ours would be tried no more
      this.#fail(error);
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#database) this.#open();
    const database = this.#database;
    if (!database || !this.#insert) return this.#retryLater();
    try {
      database.exec("BEGIN IMMEDIATE");
      for (const row of this.#waiting) {
        this.#insert.run(
          row.id,
          row.timestamp,
          row.actor,
          row.door,
          row.action,
          row.vmId ?? null,
          row.vmName ?? null,
          row.result,
          row.message ?? null,
          row.input === undefined ? null : JSON.stringify(row.input),
          row.tookMs ?? null,
        );
      }
      database.exec("COMMIT");
      this.#waiting = [];
      this.#trouble = null;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      this.#fail(error);
      this.#retryLater();
    }
  }

  #retryLater(): void {
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#flush(), this.#times.retry);
  }

  #fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const trouble = error instanceof StoreError
      ? text
      : `The database cannot be written (${text}). Check its file system's space.`;
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    log.error("the activity cannot be recorded", { error: text });
    this.#onTrouble(trouble);
  }
}

function toActivity(row: Record<string, unknown>): Activity {
  const text = (name: string) => typeof row[name] === "string" ? row[name] : undefined;
  const vmId = text("vm_id"), vmName = text("vm_name"), message = text("message");
  const result = text("result");
  return {
    id: Number(row.id),
    timestamp: Number(row.timestamp),
    actor: text("actor") ?? "",
    action: text("action") ?? "",
    result: result === "ok" || result === "error" ? result : "event",
    ...(vmId !== undefined && { vmId }),
    ...(vmName !== undefined && { vmName }),
    ...(message !== undefined && { message }),
  };
}
