/** Replications of VMs of this host, and replicas of VMs of others, as they are kept. */
import type { DatabaseSync } from "node:sqlite";
import { ContractError, type NetworkChoices, type ReplicationRun } from "../../lib/contract/mod.ts";
import type { CONSISTENCIES } from "../../lib/backup/manifest.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { Delegator } from "../access/delegation.ts";
import type { Store } from "../store/store.ts";

export const REPLICATION_MIGRATIONS = [
  `CREATE TABLE replications (
     id     TEXT PRIMARY KEY,
     record TEXT NOT NULL      -- JSON
   ) STRICT;
   CREATE TABLE replicas (
     id     TEXT PRIMARY KEY,
     record TEXT NOT NULL      -- JSON
   ) STRICT;`,
];

/** An increment that the other host has. */
export interface FinishedIncrement {
  readonly copyId: string;
  /** Milliseconds since 1970 by the clock of the host that the VM is on: the moment it shows. */
  readonly takenAt: number;
}

/** A VM of this host that is kept up to date on another one. */
export interface StoredReplication {
  readonly id: string;
  readonly vmId: string;
  /** As it was called last. */
  readonly vmName: string;
  /** Id of the linked host. */
  readonly toHost: string;
  readonly everySeconds: number;
  /** Seconds that the replica may be behind. */
  readonly maxLagSeconds: number;
  readonly isPaused: boolean;
  /** MiB a second at most; 0: no limit. */
  readonly maxMibPerSecond: number;
  readonly pool?: string | undefined;
  /** Networks here → those there that its cards come into. */
  readonly networks?: NetworkChoices | undefined;
  /** The old VM of that id there becomes the replica. */
  readonly takeOld: boolean;
  readonly owner: Delegator;
  readonly createdAt: number;
  readonly finished: FinishedIncrement | null;
  /** Identity of each disk's image at that time, by target: changes are known only of the same image. */
  readonly images: Readonly<Record<string, string>>;
  /** Of a VM that was off: what a write to its disks changes. */
  readonly offMark?: string | undefined;
  readonly lastRun: Unrendered<ReplicationRun> | null;
  /** The VM was made of the replica there: the one here is no longer the owner. */
  readonly lost?:
    | {
      readonly at: number;
      /** Whether it was, is not known until that host answers. */
      readonly isUndecided?: true;
      /** It was shut down for the switch-over: where that did not take place, it is started here again. */
      readonly wasRunning?: true;
    }
    | undefined;
}

/** A VM that was made of a replica as a test, and is thrown away. */
export interface ReplicaTest {
  readonly uuid: string;
  readonly name: string;
  readonly since: number;
}

/** A replica of a VM of another host. */
export interface StoredReplica {
  readonly id: string;
  readonly vmId: string;
  readonly vmName: string;
  /** The link that it comes by, and the name of that host as it told it. */
  readonly peerId: string;
  readonly from: string;
  readonly pool: string;
  readonly folder: string;
  readonly everySeconds: number;
  readonly createdAt: number;
  readonly finished:
    | (FinishedIncrement & {
      readonly receivedAt: number;
      readonly consistency: typeof CONSISTENCIES[number];
    })
    | null;
  /** Bytes of its disks as the guest sees them. */
  readonly bytes: number;
  readonly promoted?: { readonly at: number; readonly by: string } | undefined;
  readonly test?: ReplicaTest | undefined;
}

type Table = "replications" | "replicas";

/** Records of one kind, held in memory and written through. */
class KeptTable<T extends { readonly id: string; readonly createdAt: number }> {
  #rows = new Map<string, T>();
  #isLoaded = false;

  constructor(private readonly store: Store, private readonly table: Table) {
    store.attach((database) => this.#load(database));
  }

  #load(database: DatabaseSync): void {
    this.#rows = new Map(
      database.prepare(`SELECT id, record FROM ${this.table}`).all()
        .map(({ id, record }) => [String(id), JSON.parse(String(record)) as T]),
    );
    this.#isLoaded = true;
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): this {
    if (!this.#isLoaded) this.store.open();
    if (!this.#isLoaded) throw this.#unavailable();
    return this;
  }

  /** Every one, the oldest first. */
  all(): T[] {
    return [...this.#rows.values()].sort((a, b) => a.createdAt - b.createdAt);
  }

  get(id: string): T | undefined {
    return this.#rows.get(id);
  }

  /** @throws {ContractError} StoreUnavailable */
  put(row: T): void {
    this.#write((database) =>
      database.prepare(
        `INSERT INTO ${this.table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
      ).run(row.id, JSON.stringify(row))
    );
    this.#rows.set(row.id, row);
  }

  /** Changes what is kept now. @returns undefined where it is gone @throws {ContractError} StoreUnavailable */
  change(id: string, change: Partial<T>): T | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const changed = { ...row, ...change };
    this.put(changed);
    return changed;
  }

  /** @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write((database) => database.prepare(`DELETE FROM ${this.table} WHERE id = ?`).run(id));
    this.#rows.delete(id);
  }

  #write(run: (database: DatabaseSync) => void): void {
    this.require();
    if (!this.store.write(() => run(this.store.database!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is not open" });
  }
}

export class ReplicationRecords {
  readonly outgoing: KeptTable<StoredReplication>;
  readonly incoming: KeptTable<StoredReplica>;

  constructor(store: Store) {
    this.outgoing = new KeptTable(store, "replications");
    this.incoming = new KeptTable(store, "replicas");
  }

  /** The replication by which a VM of this host is no longer its owner. */
  lostOf(vmId: string): StoredReplication | undefined {
    return this.outgoing.all().find((each) => each.vmId === vmId && each.lost !== undefined);
  }
}
