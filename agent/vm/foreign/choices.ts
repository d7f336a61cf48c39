/** Choices of the last imports, for the next one: the pool, the format, and the target of each network of a source. */
import type { DatabaseSync } from "node:sqlite";
import type { Migration } from "../../store/migrations.ts";
import type { Store } from "../../store/store.ts";

/** Choices that are kept, the newest. */
const MOST_CHOICES = 1000;

export const FOREIGN_CHOICE_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE foreign_choices (
     host_id TEXT NOT NULL,
     key     TEXT NOT NULL,   -- "pool", "format", or "network:" and its name at the source
     value   TEXT NOT NULL,
     PRIMARY KEY (host_id, key)
   ) STRICT, WITHOUT ROWID;`,
];

/** Key of a choice that is kept for the next import. */
export type ChoiceKey = "pool" | "format" | `network:${string}` | `certificate:${string}`;

export class ForeignChoices {
  readonly #values = new Map<string, string>();

  constructor(private readonly store: Store) {
    store.attach((database) => this.#read(database));
  }

  /** The last choice on a host. */
  get(hostId: string, key: ChoiceKey): string | undefined {
    return this.#values.get(keyOf(hostId, key));
  }

  /** Remembers a choice. */
  set(hostId: string, key: ChoiceKey, value: string): void {
    const own = keyOf(hostId, key);
    if (this.#values.get(own) === value) return;
    if (this.#values.size >= MOST_CHOICES && !this.#values.has(own)) return;
    this.#values.set(own, value);
    this.store.keep(`import choice ${own}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO foreign_choices (host_id, key, value) VALUES (?, ?, ?)",
      ).run(hostId, key, value);
    });
  }

  /** A host is managed here no more. */
  forgetHost(hostId: string): void {
    for (const key of [...this.#values.keys()]) if (key.startsWith(`${hostId} `)) this.#values.delete(key);
    this.store.keep(`import choices of ${hostId}`, () => {
      this.store.database!.prepare("DELETE FROM foreign_choices WHERE host_id = ?").run(hostId);
    });
  }

  #read(database: DatabaseSync): void {
    this.#values.clear();
    for (const row of database.prepare("SELECT host_id, key, value FROM foreign_choices").all()) {
      this.#values.set(keyOf(String(row.host_id), String(row.key)), String(row.value));
    }
  }
}

const keyOf = (hostId: string, key: string): string => `${hostId} ${key}`;
