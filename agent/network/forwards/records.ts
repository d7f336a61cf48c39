/** Port forwards as they are kept: what is wanted, whatever the kernel has of it at the moment. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { ContractError, type ForwardProtocol } from "../../../lib/contract/mod.ts";
import type { StoredForward } from "../../../lib/network/forwards/plan.ts";
import type { Store } from "../../store/store.ts";

type Row = Record<string, SQLOutputValue>;

const text = (value: SQLOutputValue | undefined) => value === null ? undefined : String(value);

function forwardOf(row: Row): StoredForward {
  return {
    id: String(row.id),
    network: String(row.network),
    protocol: String(row.protocol) as ForwardProtocol, // written by us alone
    hostAddress: text(row.host_address),
    hostPort: Number(row.host_port),
    hostPortEnd: Number(row.host_port_end),
    targetPort: Number(row.target_port),
    vmId: text(row.vm_id),
    vmName: text(row.vm_name),
    mac: text(row.mac),
    address: text(row.address),
    description: text(row.description),
    enabled: row.enabled === 1,
    createdAt: Number(row.created_at),
  };
}

export class ForwardRecords {
  readonly #store: Store;
  /** Rows of the database; read when it is opened, written through. */
  #forwards: readonly StoredForward[] = [];
  #insert: StatementSync | undefined;
  #enable: StatementSync | undefined;
  #remove: StatementSync | undefined;

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#prepare(database));
  }

  /** Whether the database could be read: until then, it is not known what is wanted. */
  get known(): boolean {
    return this.#store.open() !== undefined;
  }

  /** Every one, the oldest first. */
  all(): readonly StoredForward[] {
    return this.#forwards;
  }

  /** @throws {ContractError} StoreUnavailable */
  add(forward: StoredForward): void {
    this.#written(() =>
      this.#insert?.run(
        forward.id,
        forward.network,
        forward.protocol,
        forward.hostAddress ?? null,
        forward.hostPort,
        forward.hostPortEnd,
        forward.targetPort,
        forward.vmId ?? null,
        forward.vmName ?? null,
        forward.mac ?? null,
        forward.address ?? null,
        forward.description ?? null,
        forward.enabled ? 1 : 0,
        forward.createdAt,
      )
    );
    this.#forwards = [...this.#forwards, forward];
  }

  /** @throws {ContractError} StoreUnavailable */
  enable(id: string, enabled: boolean): void {
    this.#written(() => this.#enable?.run(enabled ? 1 : 0, id));
    this.#forwards = this.#forwards.map((each) => each.id === id ? { ...each, enabled } : each);
  }

  /** @throws {ContractError} StoreUnavailable */
  remove(ids: readonly string[]): void {
    this.#written(() => {
      for (const id of ids) this.#remove?.run(id);
    });
    this.#forwards = this.#forwards.filter(({ id }) => !ids.includes(id));
  }

  #written(run: () => void): void {
    if (this.#store.write(run)) return;
    throw new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is closed" });
  }

  #prepare(database: DatabaseSync): void {
    this.#insert = database.prepare(
      "INSERT INTO port_forwards (id, network, protocol, host_address, host_port, host_port_end, target_port, " +
        "vm_id, vm_name, mac, address, description, enabled, created_at) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#enable = database.prepare("UPDATE port_forwards SET enabled = ? WHERE id = ?");
    this.#remove = database.prepare("DELETE FROM port_forwards WHERE id = ?");
    this.#forwards = database.prepare("SELECT * FROM port_forwards ORDER BY created_at, rowid").all().map(
      forwardOf,
    );
  }
}
