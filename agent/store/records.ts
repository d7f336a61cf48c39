/**
 * Records that are few and needed at every request: held in memory, written through. What cannot be written is not
 * changed in memory either.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ContractError } from "../../lib/contract/errors.ts";
import { SEALED } from "../sealing/places.ts";
import type { Store } from "./store.ts";

/** A record to write, or null to delete it. */
export interface RecordChange {
  readonly kind: string;
  readonly key: string;
  readonly record: unknown;
}

/** The kind whose records have secrets. */
const USER = "user";

/** All kinds of records of the table `access`. */
export class Records {
  readonly #store: Store;
  readonly #onLoaded: () => void;
  readonly #kinds = new Map<string, Map<string, unknown>>();
  #put: StatementSync | undefined;
  #delete: StatementSync | undefined;
  /** Changes that are in memory alone, to be written later: kind, key. */
  readonly #unwritten = new Map<string, { kind: string; key: string }>();
  #isLoaded = false;

  /** @param onLoaded told whenever the database was opened and read */
  constructor(store: Store, onLoaded: () => void = () => {}) {
    this.#store = store;
    this.#onLoaded = onLoaded;
    store.attach((database) => this.#load(database));
  }

  /** Whether what is stored is known: "no user" is not the same as "no database". */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** The records of a kind, as of now. Not to be changed. */
  of<T>(kind: string): ReadonlyMap<string, T> {
    let found = this.#kinds.get(kind);
    if (!found) this.#kinds.set(kind, found = new Map());
    return found as ReadonlyMap<string, T>;
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): void {
    if (!this.#isLoaded) this.#store.open();
    if (!this.#isLoaded) throw this.#unavailable();
  }

  /** Writes changes, all or none. @throws {ContractError} StoreUnavailable, EncryptionKeyMissing */
  commit(changes: readonly RecordChange[]): void {
    this.require();
    const texts = changes.map((change) => this.#text(change));
    const written = this.#store.write(() => {
      for (const [at, { kind, key }] of changes.entries()) {
        const text = texts[at]!;
        if (text === null) this.#delete!.run(kind, key);
        else this.#put!.run(kind, key, text);
      }
    });
    if (!written) throw this.#unavailable();
    for (const { kind, key, record } of changes) {
      const map = this.of<unknown>(kind) as Map<string, unknown>;
      if (record === null) map.delete(key);
      else map.set(key, record);
    }
  }

  /** Replaces a record in memory at once, in the database with the next {@link flush}: for what changes all the time. */
  note(kind: string, key: string, record: unknown): void {
    const map = this.of<unknown>(kind) as Map<string, unknown>;
    if (!map.has(key)) return;
    map.set(key, record);
    this.#unwritten.set(`${kind}/${key}`, { kind, key });
  }

  /** Writes what {@link note} left. What cannot be written now is tried next time. */
  flush(): void {
    if (this.#unwritten.size === 0) return;
    const waiting = [...this.#unwritten.values()].filter(({ kind, key }) => this.of(kind).has(key));
    const rows = waiting.map(({ kind, key }) => ({
      kind,
      key,
      text: this.#text({ kind, key, record: this.of(kind).get(key) })!,
    }));
    const written = this.#store.write(() => {
      for (const { kind, key, text } of rows) this.#put?.run(kind, key, text);
    });
    if (written) this.#unwritten.clear();
  }

  /** A record as it is written; null for one that goes. */
  #text({ kind, key, record }: RecordChange): string | null {
    if (record === null) return null;
    const isSealed = kind === USER && typeof record === "object";
    return JSON.stringify(
      isSealed ? this.#store.secrets.closed(SEALED.users, key, record as object) : record,
    );
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #load(database: DatabaseSync): void {
    this.#put = database.prepare(
      "INSERT INTO access (kind, key, record) VALUES (?, ?, ?) " +
        "ON CONFLICT (kind, key) DO UPDATE SET record = excluded.record",
    );
    this.#delete = database.prepare("DELETE FROM access WHERE kind = ? AND key = ?");
    const rows = database.prepare("SELECT kind, key, record FROM access").all();
    this.#kinds.clear();
    for (const { kind, key, record } of rows) {
      const parsed = JSON.parse(String(record)) as unknown;
      const opened = kind === USER ? this.#store.secrets.opened(SEALED.users, String(key), parsed) : parsed;
      (this.of<unknown>(String(kind)) as Map<string, unknown>).set(String(key), opened);
    }
    this.#isLoaded = true;
    this.#onLoaded();
  }
}
