/** Records of guests' last reports on themselves: lists show them while the guests are not asked. */
import type { SQLOutputValue } from "node:sqlite";
import type { GuestFacts } from "../../lib/contract/mod.ts";
import type { Store } from "../store/store.ts";

export const GUEST_MIGRATIONS = [
  `CREATE TABLE guest_facts (
     vm_id  TEXT PRIMARY KEY,
     record TEXT NOT NULL  -- JSON
   ) STRICT, WITHOUT ROWID;`,
];

/** VMs that are kept of; the oldest go first. */
const MOST = 20_000;

export class GuestFactRecords {
  readonly #store: Store;
  /** Facts in the database; read when it is opened, written through. */
  readonly #facts = new Map<string, GuestFacts>();

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => {
      this.#facts.clear();
      const rows = database.prepare("SELECT vm_id, record FROM guest_facts").all();
      for (const row of rows as Record<string, SQLOutputValue>[]) {
        // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
        this.#facts.set(String(row.vm_id), JSON.parse(String(row.record)));
      }
    });
  }

  get(vmId: string): GuestFacts | undefined {
    return this.#facts.get(vmId);
  }

  /** Keeps it, and writes it as soon as that works. */
  put(vmId: string, facts: GuestFacts): void {
    this.#facts.set(vmId, facts);
    const oldest = this.#facts.size <= MOST
      ? undefined
      : [...this.#facts].reduce((a, b) => a[1].toldAt <= b[1].toldAt ? a : b)[0];
    if (oldest !== undefined) this.#facts.delete(oldest);
    this.#store.keep(`facts of ${vmId}`, () => {
      const database = this.#store.database!;
      database.prepare("INSERT OR REPLACE INTO guest_facts (vm_id, record) VALUES (?, ?)").run(
        vmId,
        JSON.stringify(facts),
      );
      if (oldest !== undefined) database.prepare("DELETE FROM guest_facts WHERE vm_id = ?").run(oldest);
    });
  }

  /** A VM is no more. */
  delete(vmId: string): void {
    if (!this.#facts.delete(vmId)) return;
    this.#store.keep(
      `facts of ${vmId}`,
      () => void this.#store.database!.prepare("DELETE FROM guest_facts WHERE vm_id = ?").run(vmId),
    );
  }
}
