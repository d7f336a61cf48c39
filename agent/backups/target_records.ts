/** Backup targets as they are kept, with their secrets: these leave the database for their own target alone. */
import type { DatabaseSync } from "node:sqlite";
import { type BackupTarget, ContractError } from "../../lib/contract/mod.ts";
import type { Encryption } from "../../lib/backup/description.ts";
import { SEALED } from "../sealing/places.ts";
import { type Unread, withoutGiven } from "../sealing/sealed_values.ts";
import type { Store } from "../store/store.ts";

/** A target with its secrets. */
export interface TargetRecord extends Omit<BackupTarget, "address" | "encrypted" | "hasSecret" | "backups"> {
  readonly secretKey?: string;
  readonly password?: string;
  readonly privateKey?: string;
  /** Id of what it holds: another disk or bucket may be there one day. */
  readonly repository: string;
  /** The folder of this host that its copies were in last: a pool may be gone, or be called otherwise. */
  readonly copiesFolder?: string;
  /** Of an encrypted one: what its store says of it, and the key that the passphrase has opened. */
  readonly encryption?: Encryption;
  readonly dataKey?: string;
  /** Those of its secrets that cannot be read now. */
  readonly unread?: Unread;
}

/** Tables of the targets: a step of those of backups. */
export const TARGET_MIGRATION =
  "CREATE TABLE backup_targets (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;";

export class TargetRecords {
  readonly #store: Store;
  readonly #targets = new Map<string, TargetRecord>();
  #isLoaded = false;

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#load(database));
  }

  #load(database: DatabaseSync): void {
    this.#targets.clear();
    for (const { id, record } of database.prepare("SELECT id, record FROM backup_targets").all()) {
      // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
      const stored = JSON.parse(String(record)) as TargetRecord;
      this.#targets.set(
        String(id),
        this.#store.secrets.opened(SEALED.backupTargets, String(id), stored),
      );
    }
    this.#isLoaded = true;
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): this {
    if (!this.#isLoaded) this.#store.open();
    if (!this.#isLoaded) throw this.#unavailable();
    return this;
  }

  /** Every one, by name. */
  all(): TargetRecord[] {
    return [...this.#targets.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  get(id: string): TargetRecord | undefined {
    return this.#targets.get(id);
  }

  /** @throws {ContractError} BackupTargetNotFound, StoreUnavailable */
  find(targetId: string): TargetRecord {
    const found = this.require().get(targetId);
    if (found === undefined) throw new ContractError("BackupTargetNotFound", { backupTargetId: targetId });
    return found;
  }

  /** One that can be opened. @throws {ContractError} BackupTargetNotFound, StoreUnavailable, SecretUnreadable */
  readable(targetId: string): TargetRecord {
    const found = this.find(targetId);
    if (found.unread !== undefined) throw this.unreadable(found);
    return found;
  }

  /** @throws {ContractError} StoreUnavailable, EncryptionKeyMissing */
  put(target: TargetRecord): void {
    const text = JSON.stringify(this.#store.secrets.closed(SEALED.backupTargets, target.id, target));
    this.#write((database) =>
      database.prepare(
        "INSERT INTO backup_targets (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(target.id, text)
    );
    this.#targets.set(target.id, withoutGiven(target));
  }

  /** The error for one whose secrets cannot be read. */
  unreadable({ name }: TargetRecord): ContractError {
    const { noun, remedy } = SEALED.backupTargets;
    return this.#store.secrets.unreadable(`${noun} ${name}`, remedy);
  }

  /** @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write((database) => database.prepare("DELETE FROM backup_targets WHERE id = ?").run(id));
    this.#targets.delete(id);
  }

  #write(run: (database: DatabaseSync) => void): void {
    this.require();
    if (!this.#store.write(() => run(this.#store.database!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }
}
