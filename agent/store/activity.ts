/**
 * Audit log: every command that changes something, and events that libvirt reports by itself. Entries are
 * written in batches a moment after they happen. When the database cannot be used they wait in memory (the
 * newest thousand), and VMs stay controllable.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Activity as ActivityText } from "../../lib/contract/host.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { renderPlain, type Sentence, type Unrendered, vmIdsIn } from "../../lib/i18n/message.ts";
import { type AuditEntry, ContractError, type Input } from "../../lib/contract/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { Store } from "./store.ts";

/** An entry before its text is made for who reads it. */
type Activity = Unrendered<ActivityText>;

/** An entry as it is recorded: what is shown, and what an audit needs in addition. */
export interface ActivityEntry extends Omit<Activity, "id" | "timestamp"> {
  readonly door: string;
  /** IP address of the caller. */
  readonly address?: string;
  /** The program that called by MCP, as it calls itself. */
  readonly client?: string;
  /** The command's input. */
  readonly input?: unknown;
  readonly tookMs?: number;
}

/** Filter of entries. Times in milliseconds since 1970. */
export type WantedActivity = Omit<Input<"get_activity">, "limit">;

type Row = Activity & Pick<ActivityEntry, "door" | "address" | "client" | "input" | "tookMs">;

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
  readonly #store: Store;
  readonly #onEntry: (activity: Activity, entry: ActivityEntry) => void;
  readonly #times: ActivityTimes;
  #insert: StatementSync | undefined;
  #waiting: Row[] = [];
  #recent: Activity[] = [];
  #nextId = 1;
  #cancelFlush: (() => void) | undefined;

  /** Works in memory while the store cannot be used, and tries it again later. */
  constructor(
    store: Store,
    onEntry: (activity: Activity, entry: ActivityEntry) => void,
    times: ActivityTimes = { flush: FLUSH_MS, retry: RETRY_MS },
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#store = store;
    this.#times = times;
    this.#onEntry = onEntry;
    store.attach((database) => this.#prepare(database));
  }

  /** Records an entry and tells it. Never throws: recording must not stand in the way of what is recorded. */
  record(entry: ActivityEntry): Activity {
    const { activity, row } = this.#made(entry);
    this.#recent.push(activity);
    this.#waiting.push(row);
    if (this.#recent.length > IN_MEMORY) this.#recent.shift();
    // A burst (every VM of a large host at once) must not push entries out that could be written.
    if (this.#waiting.length > IN_MEMORY && this.#store.trouble === null) this.#flush();
    if (this.#waiting.length > IN_MEMORY) this.#waiting.shift();
    if (this.#waiting.length > 0) {
      this.#flushIn(this.#store.database ? this.#times.flush : this.#times.retry);
    }
    this.#onEntry(activity, entry);
    return activity;
  }

  /**
   * Records an entry together with the change of the database that it records: both, or none. Never throws.
   *
   * @returns whether they were written
   */
  recordWith(entry: ActivityEntry, change: () => void): boolean {
    if (this.#waiting.length > 0) this.#flush();
    if (this.#waiting.length > 0) return false;
    const { activity, row } = this.#made(entry);
    const written = this.#store.write(() => {
      change();
      this.#write(row);
    });
    if (!written) return false;
    this.#recent.push(activity);
    if (this.#recent.length > IN_MEMORY) this.#recent.shift();
    this.#onEntry(activity, entry);
    return true;
  }

  #made(entry: ActivityEntry): { activity: Activity; row: Row } {
    const { door, address, client, input, tookMs, ...shown } = entry;
    const named = [...entry.mentions ?? [], ...vmIdsIn(entry.message)];
    const mentions = [...new Set(named)].filter((id) => id !== entry.vmId);
    const activity: Activity = {
      ...shown,
      id: this.#nextId++,
      timestamp: this.clock.now(),
      ...(mentions.length > 0 && { mentions }),
    };
    const row: Row = {
      ...activity,
      door,
      ...(address !== undefined && { address }),
      ...(client !== undefined && { client }),
      ...(input !== undefined && { input }),
      ...(tookMs !== undefined && { tookMs }),
    };
    return { activity, row };
  }

  /**
   * The newest entries that are wanted, newest first: those in memory, and behind them what is stored. Where the store
   * cannot be read, those in memory.
   */
  latest(limit: number, wanted: WantedActivity = {}): Activity[] {
    const fresh = this.#recent.filter((activity) => isWanted(activity, wanted)).reverse();
    const { database } = this.#store;
    const isAll = Object.values(wanted).every((each) => each === undefined);
    if (isAll || fresh.length >= limit || !database) return fresh.slice(0, limit);
    const { vmId, since, until, actions, succeeded } = wanted;
    const conditions: readonly (readonly [sql: string, values: readonly (string | number)[] | undefined])[] =
      [
        ["vm_id = ?", vmId === undefined ? undefined : [vmId]],
        ["timestamp >= ?", since === undefined ? undefined : [since]],
        ["timestamp < ?", until === undefined ? undefined : [until]],
        [`action IN (${actions?.map(() => "?").join(", ")})`, actions],
        ["result <> 'error'", succeeded === true ? [] : undefined],
        ["id < ?", [this.#recent[0]?.id ?? this.#nextId]],
      ];
    const given = conditions.filter((each): each is [string, (string | number)[]] => each[1] !== undefined);
    // By the time where a range is asked for, so that its index is read: a clock that was set back mixes both
    const order = since !== undefined || until !== undefined ? "timestamp DESC, id DESC" : "id DESC";
    try {
      const rows = database.prepare(
        `SELECT * FROM activity WHERE ${given.map(([sql]) => sql).join(" AND ")} ORDER BY ${order} LIMIT ?`,
      ).all(...given.flatMap(([, values]) => values), limit - fresh.length);
      return [...fresh, ...rows.map(toActivity)];
    } catch (error) {
      this.#store.fail(error);
      return fresh;
    }
  }

  /**
   * Searches what is stored, newest first.
   *
   * @param on id of the host that something was done on; on any, or none, when left out
   * @throws {ContractError} StoreUnavailable
   */
  search(wanted: Input<"get_audit_log">, on?: string): Unrendered<AuditEntry>[] {
    if (this.#waiting.length > 0) this.#flush();
    const { database } = this.#store;
    const unavailable = () =>
      new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
    if (!database) throw unavailable();
    const { text } = wanted;
    const conditions: [string, string | number | undefined][] = [
      ["actor = ?", wanted.actor],
      ["action = ?", wanted.action],
      ["door = ?", wanted.door],
      ["result = ?", wanted.result],
      ["vm_id = ?", wanted.vmId],
      ["timestamp >= ?", wanted.since],
      ["timestamp < ?", wanted.until],
      ["id < ?", wanted.before],
      [`coalesce(host, '${LOCAL_HOST}') = ?`, on],
      [
        "instr(lower(coalesce(vm_name, '') || ' ' || coalesce(message, '') || ' ' || coalesce(input, '')), ?) > 0",
        text === undefined || text === "" ? undefined : text.toLowerCase(),
      ],
    ];
    const given = conditions.filter((each): each is [string, string | number] =>
      each[1] !== undefined && each[1] !== ""
    );
    const where = given.length === 0 ? "" : `WHERE ${given.map(([sql]) => sql).join(" AND ")}`;
    try {
      const rows = database.prepare(`SELECT * FROM activity ${where} ORDER BY id DESC LIMIT ?`)
        .all(...given.map(([, value]) => value), wanted.limit ?? 100);
      return rows.map(toAuditEntry);
    } catch (error) {
      this.#store.fail(error);
      throw unavailable();
    }
  }

  /** Writes what waits. The store is closed by who opened it. */
  close(): void {
    this.#cancelFlush?.();
    if (this.#waiting.length > 0) this.#flush();
    this.#cancelFlush?.();
  }

  /** Takes up what is stored, before what was recorded meanwhile. */
  #prepare(database: DatabaseSync): void {
    const insert = database.prepare(
      "INSERT INTO activity (id, timestamp, actor, door, action, vm_id, vm_name, result, message, input, took_ms, " +
        "address, mentions, host, sentence, client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    this.#insert = insert;
  }

  /** Writes what waits after so many milliseconds, unless that is to be done sooner. */
  #flushIn(ms: number): void {
    this.#cancelFlush ??= this.clock.after(ms, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const written = this.#store.write(() => {
      for (const row of this.#waiting) this.#write(row);
    });
    if (written) this.#waiting = [];
    else if (this.#waiting.length > 0) this.#flushIn(this.#times.retry);
  }

  #write(row: Row): void {
    this.#insert?.run(
      row.id,
      row.timestamp,
      row.actor,
      row.door,
      row.action,
      row.vmId ?? null,
      row.vmName ?? null,
      row.result,
      row.message === undefined ? null : String(renderPlain(row.message)),
      row.input === undefined ? null : JSON.stringify(row.input),
      row.tookMs ?? null,
      row.address ?? null,
      row.mentions === undefined ? null : JSON.stringify(row.mentions),
      row.host ?? null,
      row.message === undefined || typeof row.message === "string" ? null : JSON.stringify(row.message),
      row.client ?? null,
    );
  }
}

function isWanted(
  { vmId, timestamp, action, result }: Activity,
  { vmId: wantedVm, since, until, actions, succeeded }: WantedActivity,
): boolean {
  return (wantedVm === undefined || vmId === wantedVm) && timestamp >= (since ?? -Infinity) &&
    timestamp < (until ?? Infinity) && (actions === undefined || actions.includes(action)) &&
    !(succeeded === true && result === "error");
}

function toAuditEntry(row: Record<string, unknown>): Unrendered<AuditEntry> {
  const text = (name: string) => typeof row[name] === "string" ? row[name] : null;
  const { id, timestamp, actor, action, result, message = null } = toActivity(row);
  return {
    id,
    timestamp,
    actor,
    action,
    result,
    host: text("host"),
    door: text("door") ?? "",
    address: text("address"),
    client: text("client"),
    vmId: text("vm_id"),
    vmName: text("vm_name"),
    message,
    input: text("input"),
    tookMs: typeof row.took_ms === "number" ? row.took_ms : null,
  };
}

function toActivity(row: Record<string, unknown>): Activity {
  const text = (name: string) => typeof row[name] === "string" ? row[name] : undefined;
  const vmId = text("vm_id"), vmName = text("vm_name");
  // Entries of an earlier version have the text alone
  const sentence = text("sentence"),
    message = sentence === undefined ? text("message") : JSON.parse(sentence) as Sentence;
  const result = text("result"), mentions = text("mentions"), host = text("host");
  return {
    id: Number(row.id),
    timestamp: Number(row.timestamp),
    actor: text("actor") ?? "",
    action: text("action") ?? "",
    result: result === "ok" || result === "error" ? result : "event",
    ...(host !== undefined && { host }),
    ...(vmId !== undefined && { vmId }),
    ...(vmName !== undefined && { vmName }),
    ...(message !== undefined && { message }),
    ...(mentions !== undefined && { mentions: JSON.parse(mentions) as string[] }),
  };
}
