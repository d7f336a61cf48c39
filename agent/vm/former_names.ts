/**
 * Names that VMs had: of those that are gone, and of those that were renamed. What was written down while a VM had its
 * name – why a run failed, a job's log – still has it, and must not tell it to who may not see that VM.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import type { Migration } from "../store/migrations.ts";
import type { Store } from "../store/store.ts";

/** Names that are remembered, the newest: more than what is written down has. */
const MOST_NAMES = 5000;

export const FORMER_NAME_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE former_vm_names (
     vm_id TEXT NOT NULL,
     name  TEXT NOT NULL,
     at    INTEGER NOT NULL,  -- ms since 1970: when it had it last
     PRIMARY KEY (vm_id, name)
   ) STRICT, WITHOUT ROWID;`,
];

/** A name that a VM had. */
export interface FormerName {
  readonly id: string;
  readonly name: string;
}

export class FormerNames {
  /** The oldest first. */
  readonly #names = new Map<string, FormerName>();

  constructor(private readonly store: Store, private readonly clock: Clock) {
    store.attach((database) => this.#read(database));
  }

  /** All of them, the oldest first. */
  all(): Iterable<FormerName> {
    return this.#names.values();
  }

  /** A VM is gone, or has another name from now on. */
  add(id: string, name: string): void {
    this.#keep({ id, name });
    const oldest = this.#names.size > MOST_NAMES ? this.#names.values().next().value : undefined;
    if (oldest !== undefined) this.#names.delete(keyOf(oldest));
    const at = this.clock.now();
    this.store.keep(`former name ${keyOf({ id, name })}`, () => {
      const database = this.store.database!;
      database.prepare("INSERT OR REPLACE INTO former_vm_names (vm_id, name, at) VALUES (?, ?, ?)")
        .run(id, name, at);
      if (oldest === undefined) return;
      database.prepare("DELETE FROM former_vm_names WHERE vm_id = ? AND name = ?").run(
        oldest.id,
        oldest.name,
      );
    });
  }

  #keep(name: FormerName): void {
    this.#names.delete(keyOf(name));
    this.#names.set(keyOf(name), name);
  }

  #read(database: DatabaseSync): void {
    for (
      const { vm_id, name } of database.prepare("SELECT vm_id, name FROM former_vm_names ORDER BY at").all()
    ) {
      this.#keep({ id: String(vm_id), name: String(name) });
    }
  }
}

const keyOf = ({ id, name }: FormerName): string => `${id} ${name}`;
