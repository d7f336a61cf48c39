/** Operations that are not over, written through before each of their steps. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { OperationRecord } from "./step.ts";
import type { Store } from "../store/store.ts";

export class OperationRecords {
  readonly #store: Store;
  readonly #onStored: (stored: OperationRecord[]) => void;
  #save: StatementSync | undefined;
  #remove: StatementSync | undefined;
  /** What is over and could not be removed yet. */
  readonly #over = new Set<string>();

  /** @param onStored given what is stored, oldest first, whenever the database is opened */
  constructor(store: Store, onStored: (stored: OperationRecord[]) => void) {
    this.#store = store;
    this.#onStored = onStored;
    store.attach((database) => this.#prepare(database));
  }

  /** Whether something that is over is still stored. */
  get isBehind(): boolean {
    return this.#over.size > 0;
  }

  /** Never throws; @returns whether it was written */
  save(record: OperationRecord): boolean {
    return this.#store.write(() => {
      this.#removeOver();
      this.#save?.run(record.id, record.host, record.startedAt, JSON.stringify(record));
    });
  }

  /** Removes what is over; what cannot be removed now is removed with the next change or {@link flush}. Never throws. */
  remove(id: string): void {
    this.#over.add(id);
    this.flush();
  }

  /** Removes what could not be removed before. */
  flush(): void {
    if (this.#over.size === 0) return;
    if (this.#store.write(() => this.#removeOver())) this.#over.clear();
  }

  #removeOver(): void {
    for (const id of this.#over) this.#remove?.run(id);
  }

  #prepare(database: DatabaseSync): void {
    this.#save = database.prepare(
      "INSERT INTO operations (id, host, started_at, record) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET record = excluded.record",
    );
    this.#remove = database.prepare("DELETE FROM operations WHERE id = ?");
    const rows = database.prepare("SELECT record FROM operations ORDER BY started_at, rowid").all();
    this.#onStored(
      rows.map(({ record }) => JSON.parse(String(record)) as OperationRecord)
        .filter(({ id }) => !this.#over.has(id)),
    );
  }
}
