/** Whether programs may speak MCP with this server, and for what: kept in the database. */
import type { DatabaseSync } from "node:sqlite";
import type { Input } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Store } from "../store/store.ts";

/** As they are kept. */
export type McpSettingsRecord = Required<Input<"update_mcp_access">>;

/** Settings until a user has changed them. */
const DEFAULT: McpSettingsRecord = { enabled: false, acting: false, role: "operator", callsPerMinute: 60 };

/** The steps of its table. */
export const MCP_MIGRATIONS = [
  `CREATE TABLE mcp_settings (
     id     INTEGER PRIMARY KEY CHECK (id = 1),
     record TEXT NOT NULL  -- JSON: whether it is on, and what it may do
   ) STRICT;`,
];

export class McpSettings {
  #record: McpSettingsRecord | undefined;
  /** Switched off at once: it stays so whatever a database says that could not be written then. */
  #isStopped = false;

  constructor(private readonly store: Pick<Store, "attach" | "write" | "database" | "trouble">) {
    store.attach((database) => this.#read(database));
  }

  #read(database: DatabaseSync): void {
    const row = database.prepare("SELECT record FROM mcp_settings WHERE id = 1").get();
    this.#record = { ...DEFAULT, ...(row !== undefined && JSON.parse(String(row.record))) };
  }

  /** Present settings: no call is let in while the database cannot be read. */
  get current(): McpSettingsRecord {
    const record = this.#record ?? DEFAULT;
    return this.#isStopped ? { ...record, enabled: false } : record;
  }

  /** @throws {ContractError} StoreUnavailable */
  show(): McpSettingsRecord {
    if (this.#record === undefined) throw this.#unavailable();
    return this.current;
  }

  /** @throws {ContractError} StoreUnavailable; then all stays as it was */
  set(change: Partial<McpSettingsRecord>): void {
    const record = { ...this.show(), ...change };
    const isWritten = this.store.write(() => {
      this.store.database!.prepare(
        "INSERT INTO mcp_settings (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(JSON.stringify(record));
    });
    if (!isWritten) throw this.#unavailable();
    this.#record = record;
    if (record.enabled) this.#isStopped = false;
  }

  /** Switches it off until somebody switches it on, also where the database cannot be written. */
  switchOff(): void {
    this.#isStopped = true;
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.store.trouble ?? "it is not open" });
  }
}
