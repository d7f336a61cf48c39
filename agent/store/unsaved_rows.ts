/** Rows that are held in memory and are to be written, by their keys. */
import type { DatabaseSync } from "node:sqlite";
import type { Store } from "./store.ts";

export class UnsavedRows {
  readonly #store: Store;
  readonly #name: string;
  readonly #writer: (database: DatabaseSync) => (key: string) => void;
  readonly #keys = new Set<string>();

  /**
   * @param name name of the rows, for the store
   * @param writer returns a function that writes the row of a key as it is then
   */
  constructor(store: Store, name: string, writer: (database: DatabaseSync) => (key: string) => void) {
    this.#store = store;
    this.#name = name;
    this.#writer = writer;
  }

  /** Whether a row is not written yet: what the database has of it is of before. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Takes note of a row that changed; those added last are written last. */
  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
  }

  /** Writes all of them as one transaction; what cannot be written now is tried as soon as that may work. */
  save(): void {
    if (this.#keys.size === 0) return;
    const isWritten = this.#store.write(() => {
      const write = this.#writer(this.#store.database!);
      for (const key of this.#keys) write(key);
    });
    if (isWritten) this.#keys.clear();
    else this.#store.again(this.#name, () => this.save());
  }
}
