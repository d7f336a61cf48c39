/** Records of alerts: alerts, silences, incidents, targets, and messages that wait to be sent. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  type AlertIncident,
  type AlertRule,
  type AlertTarget,
  ContractError,
} from "../../lib/contract/mod.ts";
import { defaultAlertRules } from "../../lib/alerts/defaults.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { StoredSilence } from "../../lib/alerts/silence.ts";
import type { Store } from "../store/store.ts";
import { DAY_MS } from "../../lib/duration.ts";
import { SEALED, type SealedPlace } from "../sealing/places.ts";
import type { Secrets } from "../sealing/secrets.ts";
import { type Unread, withoutGiven } from "../sealing/sealed_values.ts";

/** A target with its secrets. */
export interface AlertTargetRecord
  extends Omit<AlertTarget, "address" | "hasSecret" | "waiting" | "lastSentAt" | "lastError"> {
  readonly url?: string;
  readonly secret?: string;
  /** Those of them that cannot be read now. */
  readonly unread?: Unread;
}

/** An incident as it is kept: its reader's language is not known. */
export type KeptIncident = Unrendered<AlertIncident>;

/** One thing that somebody is told of. */
export interface MessageItem {
  readonly kind: "fired" | "resolved";
  readonly incident: KeptIncident;
}

/** One of them in a message that waits. */
export interface WaitingItem extends MessageItem {
  /** Milliseconds since 1970; missing in messages of earlier versions: then it is as old as its message. */
  readonly addedAt?: number;
}

/** A message that waits to be sent to one target. */
export interface WaitingMessage {
  readonly id: string;
  readonly targetId: string;
  /** The oldest first. */
  readonly items: readonly WaitingItem[];
  /** How many more there are beyond those, all of them older. */
  readonly more: number;
  readonly createdAt: number;
  /** Milliseconds since 1970 of the next try. */
  readonly nextAt: number;
  readonly tries: number;
}

/** An incident with the data that are not shown. */
export interface IncidentRecord {
  readonly incident: KeptIncident;
  /** Whether messages of it were written. */
  readonly told: boolean;
}

/** Incidents that are over are kept so long, and so many. */
export const HISTORY_MS = 90 * DAY_MS;
export const MOST_HISTORY = 20_000;

const quoted = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", "''")}'`;

function insertsOf(of: Parameters<typeof defaultAlertRules>[0]): string {
  return defaultAlertRules(of, 0).map((rule) =>
    `INSERT INTO alerts (id, record) VALUES ('${rule.id}', json_set(${
      quoted(rule)
    }, '$.createdAt', unixepoch() * 1000));`
  ).join("\n");
}

/** The steps of its tables. The alerts of a new installation are rows like any other: deleted ones do not come back. */
export const ALERT_MIGRATIONS = [
  `CREATE TABLE alerts (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE alert_silences (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE alert_targets (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE alert_messages (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE alert_incidents (
     id       TEXT PRIMARY KEY,
     fired_at INTEGER NOT NULL,  -- ms since 1970
     ended_at INTEGER,           -- missing: it is open
     record   TEXT NOT NULL      -- JSON
   ) STRICT;
   CREATE INDEX alert_incidents_open ON alert_incidents (fired_at) WHERE ended_at IS NULL;
   CREATE INDEX alert_incidents_ended ON alert_incidents (ended_at);
   ${insertsOf("first")}`,
  insertsOf("backups"),
  insertsOf("guests"),
  insertsOf("backupTests"),
  insertsOf("hangs"),
  insertsOf("coverage"),
  insertsOf("replication"),
];

/** Filter of incidents; empty for all. */
export interface WantedIncidents {
  readonly vmId?: string;
  readonly hostId?: string;
  /** Fired from then on: milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
}

/** Whether one is. */
export const isWanted = (
  { vmId, host, firedAt }: KeptIncident,
  wanted: WantedIncidents,
): boolean =>
  (wanted.vmId ?? vmId) === vmId && (wanted.hostId ?? host) === host &&
  firedAt >= (wanted.since ?? 0) && firedAt <= (wanted.until ?? Infinity);

/** Tables whose rows are an id and a record. */
type Table = "alerts" | "alert_silences" | "alert_targets" | "alert_messages";

/** Few records of one kind, held in memory and written through. */
export class KeptRecords<T extends { readonly id: string }> {
  readonly #rows = new Map<string, T>();

  /** @param sealed place and secrets that seal the records' secrets; missing if they have none */
  constructor(
    private readonly table: Table,
    private readonly sealed?: { readonly place: SealedPlace; readonly secrets: Secrets },
  ) {}

  /** All of them, in the order of their ids. Not to be changed. */
  get all(): readonly T[] {
    return [...this.#rows.values()];
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): T | undefined {
    return this.#rows.get(id);
  }

  /** Reads what is stored. */
  load(database: DatabaseSync): void {
    this.#rows.clear();
    for (const { id, record } of database.prepare(`SELECT id, record FROM ${this.table} ORDER BY id`).all()) {
      const parsed = JSON.parse(String(record)) as T, { place, secrets } = this.sealed ?? {};
      this.#rows.set(String(id), place === undefined ? parsed : secrets!.opened(place, String(id), parsed));
    }
  }

  /** A row as it is written. @throws {ContractError} EncryptionKeyMissing */
  text(row: T): string {
    const { place, secrets } = this.sealed ?? {};
    return JSON.stringify(place === undefined ? row : secrets!.closed(place, row.id, row));
  }

  /** A statement that keeps a row, within a transaction; `keep` once it is over. @param text of the row */
  write(database: DatabaseSync, row: T, text = this.text(row)): void {
    database.prepare(
      `INSERT INTO ${this.table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
    ).run(row.id, text);
  }

  /** The same for one that goes; `forget` once it is over. */
  erase(database: DatabaseSync, id: string): void {
    database.prepare(`DELETE FROM ${this.table} WHERE id = ?`).run(id);
  }

  keep(row: T): void {
    this.#rows.set(row.id, withoutGiven(row));
  }

  forget(id: string): void {
    this.#rows.delete(id);
  }
}

export class AlertRecords {
  readonly rules = new KeptRecords<AlertRule>("alerts");
  readonly silences = new KeptRecords<StoredSilence>("alert_silences");
  readonly targets: KeptRecords<AlertTargetRecord>;
  readonly messages = new KeptRecords<WaitingMessage>("alert_messages");
  readonly #store: Store;
  #isLoaded = false;

  constructor(store: Store) {
    this.#store = store;
    this.targets = new KeptRecords("alert_targets", { place: SEALED.alertTargets, secrets: store.secrets });
  }

  /** Reads what is stored, whenever the database is opened. @param onLoaded given what is open */
  attach(onLoaded: (open: readonly IncidentRecord[]) => void): void {
    this.#store.attach((database) => {
      for (const kept of [this.rules, this.silences, this.targets, this.messages]) kept.load(database);
      this.#isLoaded = true;
      onLoaded(incidentsIn(database, "WHERE ended_at IS NULL ORDER BY fired_at"));
    });
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): this {
    if (!this.#isLoaded) this.#store.open();
    if (!this.#isLoaded) throw this.#unavailable();
    return this;
  }

  /** Writes one row, or deletes it. @throws {ContractError} StoreUnavailable, EncryptionKeyMissing */
  put<T extends { readonly id: string }>(kept: KeptRecords<T>, row: T): void {
    const text = kept.text(row);
    this.commit((database) => kept.write(database, row, text));
    kept.keep(row);
  }

  /** @throws {ContractError} StoreUnavailable */
  delete<T extends { readonly id: string }>(kept: KeptRecords<T>, id: string): void {
    this.commit((database) => kept.erase(database, id));
    kept.forget(id);
  }

  /** One transaction. @throws {ContractError} StoreUnavailable */
  commit(run: (database: DatabaseSync) => void): void {
    this.require();
    if (!this.write(run)) throw this.#unavailable();
  }

  /** One transaction. Never throws. @returns whether it was carried out */
  write(run: (database: DatabaseSync) => void): boolean {
    return this.#store.write(() => run(this.#store.database!));
  }

  /** Statements that keep incidents, within a transaction. */
  writeIncidents(database: DatabaseSync, records: readonly IncidentRecord[]): void {
    const put = database.prepare(
      "INSERT INTO alert_incidents (id, fired_at, ended_at, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE " +
        "SET ended_at = excluded.ended_at, record = excluded.record",
    );
    for (const record of records) {
      const { id, firedAt, endedAt = null } = record.incident;
      put.run(id, firedAt, endedAt, JSON.stringify(record));
    }
  }

  /** Closed incidents, the newest first. @throws {ContractError} StoreUnavailable */
  history(limit: number, { vmId, hostId, since = 0, until }: WantedIncidents = {}): KeptIncident[] {
    const database = this.require().#store.open();
    if (database === undefined) throw this.#unavailable();
    // What fired since a time ended since then, too: of that there is an index
    const tests: readonly (readonly [sql: string, value: SQLInputValue | undefined])[] = [
      ["ended_at >= ?", since],
      ["fired_at >= ?", since],
      ["fired_at <= ?", until],
      ["record ->> '$.incident.vmId' = ?", vmId],
      ["record ->> '$.incident.host' = ?", hostId],
    ];
    const given = tests.flatMap(([sql, value]) => value === undefined ? [] : [{ sql, value }]);
    const ended = incidentsIn(
      database,
      `WHERE ${given.map(({ sql }) => sql).join(" AND ")} ORDER BY ended_at DESC, fired_at DESC LIMIT ?`,
      ...given.map(({ value }) => value),
      limit,
    );
    return ended.map(({ incident }) => incident);
  }

  /** Whether an incident of that id is over. */
  isOver(id: string): boolean {
    const database = this.#store.open();
    return database !== undefined && incidentsIn(database, "WHERE id = ?", id).length > 0;
  }

  /** Forgets what is over for too long, and what is too much. */
  prune(now: number): void {
    this.write((database) => {
      database.prepare("DELETE FROM alert_incidents WHERE ended_at < ?").run(now - HISTORY_MS);
      database.prepare(
        "DELETE FROM alert_incidents WHERE ended_at IS NOT NULL AND id NOT IN (SELECT id FROM alert_incidents " +
          "WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT ?)",
      ).run(MOST_HISTORY);
    });
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }
}

/** Rows are ours alone: the database is checked when it is opened, and no other program writes it. */
function incidentsIn(database: DatabaseSync, where: string, ...values: SQLInputValue[]): IncidentRecord[] {
  return database.prepare(`SELECT record FROM alert_incidents ${where}`).all(...values)
    .map(({ record }) => JSON.parse(String(record)) as IncidentRecord);
}
