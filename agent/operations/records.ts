/** Operations that are not over, written through before each of their steps. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import type { OperationRecord } from "./operation_record.ts";
import type { Store } from "../store/store.ts";
import { OpenMarks } from "./open_marks.ts";

export class OperationRecords {
  readonly #store: Store;
  readonly #onStored: (stored: OperationRecord[]) => void;
  readonly #marks: OpenMarks;
  readonly #attached: Disposable;
  #save: StatementSync | undefined;
  #remove: StatementSync | undefined;
  /** Finished operations whose records could not be deleted yet. */
  readonly #over = new Set<string>();

  /** @param onStored given what is stored, oldest first, whenever the database is opened */
  constructor(store: Store, onStored: (stored: OperationRecord[]) => void) {
    this.#store = store;
    this.#onStored = onStored;
    this.#marks = new OpenMarks(store.folder);
    this.#attached = store.attach((database) => this.#prepare(database));
  }

  /** Reads no database that is opened from now on: its host is no longer served. */
  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }

  /** Never throws; @returns whether it was written */
  save(record: OperationRecord): boolean {
    record.marked ??= this.#mark(record.id);
    const isWritten = this.#store.write(() => {
      this.#removeOver();
      this.#save?.run(record.id, record.host, record.startedAt, JSON.stringify(record));
    });
    if (!isWritten) this.#store.again(`operation ${record.id}`, () => this.save(record));
    return isWritten;
  }

  /** Removes what is over; what cannot be removed now is removed as soon as that works. Never throws. */
  remove(id: string): void {
    this.#over.add(id);
    this.#store.forget(`operation ${id}`);
    try {
      this.#marks.remove(id);
    } catch (error) {
      log.warn("the mark of an operation that is over stays", { id, error: messageOf(error) });
    }
    this.flush();
  }

  /** Removes what could not be removed before. */
  flush(): void {
    if (this.#over.size === 0) return;
    if (this.#store.write(() => this.#removeOver())) this.#over.clear();
    else this.#store.again("operations that are over", () => this.flush());
  }

  #removeOver(): void {
    for (const id of this.#over) this.#remove?.run(id);
  }

  #mark(id: string): boolean {
    try {
      this.#marks.add(id);
      return true;
    } catch (error) {
      log.debug("an operation has no mark", { id, error: messageOf(error) });
      return false;
    }
  }

  #prepare(database: DatabaseSync): void {
    this.#save = database.prepare(
      "INSERT INTO operations (id, host, started_at, record) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET record = excluded.record",
    );
    this.#remove = database.prepare("DELETE FROM operations WHERE id = ?");
    const rows = database.prepare("SELECT record FROM operations ORDER BY started_at, rowid").all();
    const stored = rows.map(({ record }) => JSON.parse(String(record)) as OperationRecord);
    const open = this.#marks.all();
    for (const { id, marked } of stored) if (marked === true && !open.has(id)) this.#over.add(id);
    this.#onStored(stored.filter(({ id }) => !this.#over.has(id)));
    this.#marks.tidy(new Set(stored.map(({ id }) => id)));
  }
}

/** Forgets what was begun on a host and is not over: it was removed. @returns whether it was written */
export const forgetOperations = (store: Store, host: string): boolean =>
  store.write(() => void store.database!.prepare("DELETE FROM operations WHERE host = ?").run(host));
