/** Records of the bin's entries and of its policy. */
import type { DatabaseSync } from "node:sqlite";
import { type StoredEntry } from "../../../lib/bin/entry.ts";
import { binPath } from "../../../lib/bin/place.ts";
import { BIN_FREE_PERCENT, type BinPolicy } from "../../../lib/contract/bin.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { namedPaths } from "../../../lib/formats/xml/named_paths.ts";
import { parseXml } from "../../../lib/formats/xml/tree.ts";
import { log } from "../../log.ts";
import type { Store } from "../../store/store.ts";
import type { KeptPath } from "../volume_keepers.ts";

export const BIN_MIGRATIONS = [
  `CREATE TABLE bin_entries (
     id         TEXT PRIMARY KEY,
     deleted_at INTEGER NOT NULL,  -- ms since 1970
     record     TEXT NOT NULL      -- JSON; with the passwords of a VM's screens
   ) STRICT;
   CREATE TABLE bin_policy (
     id     INTEGER PRIMARY KEY CHECK (id = 1),
     record TEXT NOT NULL          -- JSON: what somebody has set
   ) STRICT;`,
];

/**
 * Paths that an entry needs and the bin does not have: what its images are built on, and what a VM's definition names
 * next to its disks. Disks and media that stayed are free to be used by others.
 */
function neededBy({ name, files, definition }: StoredEntry): string[] {
  const own = new Set(files.map(({ path }) => path)),
    needed = new Set(files.flatMap(({ backing }) => backing));
  try {
    const named = definition === undefined ? [] : namedPaths(parseXml(definition.xml), { disks: false });
    for (const path of named) if (!own.has(path)) needed.add(path);
  } catch (error) {
    // One that was found next to its files may be anything; restoring it says so.
    log.debug("the definition of something in the bin cannot be read", { name, error });
  }
  return [...needed];
}

export class BinRecords {
  readonly #store: Store;
  readonly #usual: BinPolicy;
  readonly #changed: () => void;
  /** Entries of the database: read when it is opened, written through. */
  readonly #entries = new Map<string, StoredEntry>();
  /** Files outside the bin that the entries need, by entry's id; read on demand. */
  readonly #needed = new Map<string, readonly string[]>();
  #set: Partial<BinPolicy> = {};
  /** Pools, as `host pool`, that libvirt has not read again since something was moved in them. */
  readonly stale = new Set<string>();

  /**
   * @param days that something is kept, unless another number was set
   * @param changed called after each change
   */
  constructor(store: Store, days: number, changed: () => void) {
    this.#store = store;
    this.#usual = { days, freePercent: BIN_FREE_PERCENT.usual };
    this.#changed = changed;
    store.attach((database) => this.#read(database));
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): void {
    if (this.#store.open() === undefined) throw this.#unavailable();
  }

  get policy(): BinPolicy {
    return { ...this.#usual, ...this.#set };
  }

  /** @throws {ContractError} StoreUnavailable */
  setPolicy(change: Partial<BinPolicy>): void {
    const set = { ...this.#set, ...change };
    this.#write((database) =>
      void database.prepare(
        "INSERT INTO bin_policy (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(JSON.stringify(set))
    );
    this.#set = set;
    this.#changed();
  }

  /** Every entry, the newest first; with a host, those of that one. */
  all(host?: string): StoredEntry[] {
    return [...this.#entries.values()].filter((each) => host === undefined || each.host === host)
      .sort((a, b) => b.deletedAt - a.deletedAt);
  }

  get(id: string): StoredEntry | undefined {
    return this.#entries.get(id);
  }

  /** Paths of a host's files in the bin, and of the files that they are built on. */
  keptOf(host: string): KeptPath[] {
    return this.all(host).flatMap((entry) => {
      let needed = this.#needed.get(entry.id);
      if (needed === undefined) this.#needed.set(entry.id, needed = neededBy(entry));
      const keeper = `${entry.name}, which is in the bin`;
      return [
        ...needed.map((path) => ({ path, keeper, owner: entry.id })),
        // A folder that has a bin of its own goes with what is in that.
        ...entry.files.map((file) => ({ path: binPath(file), keeper, owner: entry.id })),
      ];
    });
  }

  /** @throws {ContractError} StoreUnavailable */
  put(entry: StoredEntry): void {
    this.#write((database) =>
      void database.prepare(
        "INSERT INTO bin_entries (id, deleted_at, record) VALUES (?, ?, ?) " +
          "ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(entry.id, entry.deletedAt, JSON.stringify(entry))
    );
    this.#entries.set(entry.id, entry);
    this.#needed.delete(entry.id);
    this.#changed();
  }

  /** @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write((database) => void database.prepare("DELETE FROM bin_entries WHERE id = ?").run(id));
    this.#entries.delete(id);
    this.#needed.delete(id);
    this.#changed();
  }

  #write(run: (database: DatabaseSync) => void): void {
    if (!this.#store.write(() => run(this.#store.database!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #read(database: DatabaseSync): void {
    const set = database.prepare("SELECT record FROM bin_policy").get();
    this.#set = set === undefined ? {} : JSON.parse(String(set.record));
    this.#entries.clear();
    this.#needed.clear();
    // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
    for (const { record } of database.prepare("SELECT record FROM bin_entries ORDER BY deleted_at").all()) {
      const entry = JSON.parse(String(record)) as StoredEntry;
      this.#entries.set(entry.id, entry);
    }
  }
}
