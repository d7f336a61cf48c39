/** Few records of one kind in a table of ids and JSON: held in memory, written through. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { SealedPlace } from "../sealing/places.ts";
import { withoutGiven } from "../sealing/sealed_values.ts";
import type { Store } from "./store.ts";

/** A change of one record, to be made with others ({@link changeTogether}). */
export interface RowChange {
  /** Its statement. */
  write(): void;
  /** It was written: memory follows. */
  done(): void;
}

/** Makes changes of several records, also of several tables, as one step. @throws {ContractError} StoreUnavailable; then nothing is changed */
export function changeTogether(store: Store, changes: readonly RowChange[]): void {
  const isWritten = store.write(() => changes.forEach((change) => change.write()));
  if (!isWritten) throw new ContractError("StoreUnavailable", { reason: store.trouble ?? "it is not open" });
  changes.forEach((change) => change.done());
}

/** The statement that makes such a table. @param record name of its records, for readers of the database */
export const jsonTable = (table: string, record: string): string =>
  `CREATE TABLE ${table} (
     id     TEXT PRIMARY KEY,
     record TEXT NOT NULL  -- JSON: ${record}
   ) STRICT, WITHOUT ROWID;`;

export class JsonRows<T extends { readonly id: string }> {
  readonly #rows = new Map<string, T>();
  #isRead = false;

  /**
   * @param onRead called whenever the database was opened and read
   * @param place of secrets in its records: these are sealed in the database
   */
  constructor(
    private readonly store: Store,
    private readonly table: string,
    onRead: () => void = () => {},
    private readonly place?: SealedPlace,
  ) {
    store.attach((database) => {
      this.#rows.clear();
      for (const { record } of database.prepare(`SELECT record FROM ${table} ORDER BY id`).all()) {
        // Rows are ours alone: the database is checked when it is opened, and no other program writes it
        const stored = JSON.parse(String(record)) as T;
        const row = place === undefined ? stored : store.secrets.opened<T>(place, stored.id, stored);
        this.#rows.set(row.id, row);
      }
      this.#isRead = true;
      onRead();
    });
  }

  /** Whether what is stored is known: "none" is not the same as "no database". */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** All of them, in the order of their ids. */
  all(): readonly T[] {
    return [...this.#rows.values()].toSorted((a, b) => a.id < b.id ? -1 : 1);
  }

  get(id: string): T | undefined {
    return this.#rows.get(id);
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): this {
    if (!this.#isRead) this.store.open();
    if (!this.#isRead) throw this.#unavailable();
    return this;
  }

  /** Keeps a record, or changes it. @throws {ContractError} StoreUnavailable; then nothing is changed */
  put(row: T): void {
    changeTogether(this.store, [this.putting(row)]);
  }

  /** A record that is kept, or changed, with others. @throws {ContractError} StoreUnavailable, EncryptionKeyMissing */
  putting(row: T): RowChange {
    this.require();
    const { place } = this;
    const text = JSON.stringify(place === undefined ? row : this.store.secrets.closed(place, row.id, row));
    return {
      write: () => this.#run("INSERT OR REPLACE INTO", "(id, record) VALUES (?, ?)", row.id, text),
      done: () => void this.#rows.set(row.id, place === undefined ? row : withoutGiven(row)),
    };
  }

  /** A record that is forgotten with other changes. @throws {ContractError} StoreUnavailable */
  removing(id: string): RowChange {
    this.require();
    return {
      write: () => this.#run("DELETE FROM", "WHERE id = ?", id),
      done: () => void this.#rows.delete(id),
    };
  }

  /** Keeps what is so already: written now, or as soon as that works. */
  keep(row: T): void {
    this.#rows.set(row.id, row);
    this.store.keep(
      this.#key(row.id),
      () => this.#run("INSERT OR REPLACE INTO", "(id, record) VALUES (?, ?)", row.id, JSON.stringify(row)),
    );
  }

  /** Forgets a record: now in memory, in the database as soon as that works. */
  remove(id: string): void {
    this.#rows.delete(id);
    this.store.keep(this.#key(id), () => this.#run("DELETE FROM", "WHERE id = ?", id));
  }

  #key = (id: string) => `${this.table} ${id}`;

  #run(verb: string, rest: string, ...values: string[]): void {
    this.store.database!.prepare(`${verb} ${this.table} ${rest}`).run(...values);
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is not open" });
  }
}
