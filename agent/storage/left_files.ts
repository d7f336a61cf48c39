/**
 * Files that operations of a host have made and that stay for now, by path: each with the operation, whose first step is the one
 * that made it. They are written down, and are known again after a start.
 */
import type { DatabaseSync } from "node:sqlite";
import { message, vmName } from "../../lib/i18n/message.ts";
import type { MadeFile } from "../hosts/left_files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { t } from "../operations/outcome.ts";
import type { OperationRecord } from "../operations/operation_record.ts";
import type { Store } from "../store/store.ts";
import { removeUnused } from "./volume_steps.ts";

/** Table of the left files of one kind, with the columns `host`, `path` and `operation` (JSON). */
export interface LeftFileTable {
  readonly table: string;
  /** Column for when a file was kept, in ms since 1970; left out where that is of no use. */
  readonly keptAt?: string;
  /** Name of a file of this kind in the log. */
  readonly logName: string;
}

export interface LeftFileRecord {
  readonly operation: OperationRecord;
  readonly step: MadeFile;
  /** When it was kept, in ms since 1970; 0 where the table does not have it. */
  readonly at: number;
}

/** Forgets those of a host that was removed. */
export const forgetLeftFiles = (store: Store, { table, logName }: LeftFileTable, host: string): void =>
  store.keep(
    `${logName} on ${host}`,
    () => void store.database!.prepare(`DELETE FROM ${table} WHERE host = ?`).run(host),
  );

export class LeftFiles implements Disposable {
  readonly #files = new Map<string, LeftFileRecord>();
  readonly #attached: Disposable;

  constructor(
    private readonly host: LibvirtHost,
    private readonly store: Store,
    private readonly kind: LeftFileTable,
  ) {
    this.#attached = store.attach((database) => this.#read(database));
  }

  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }

  /** All of them, at this moment. */
  all(): LeftFileRecord[] {
    return [...this.#files.values()];
  }

  get(path: string): LeftFileRecord | undefined {
    return this.#files.get(path);
  }

  /** Remembers a file. @param others further steps of the operation that say what it was made for */
  put(operation: OperationRecord, step: MadeFile, others: OperationRecord["steps"] = []): void {
    const { table, keptAt, logName } = this.kind, { path } = step, at = this.host.clock.now();
    const record = { ...operation, keys: [], steps: [step, ...others] };
    this.#files.set(path, { operation: record, step, at });
    const columns = ["host", "path", "operation", ...keptAt === undefined ? [] : [keptAt]];
    const values = [this.host.id, path, JSON.stringify(record), ...keptAt === undefined ? [] : [at]];
    this.store.keep(`${logName} ${path}`, () => {
      this.store.database!.prepare(
        `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${
          columns.map(() => "?").join(", ")
        })`,
      ).run(...values);
    });
  }

  /** Hands a file out: until the next start it is not among them, and then only where it was not forgotten. */
  lend(path: string): void {
    this.#files.delete(path);
  }

  forget(path: string): void {
    const { table, logName } = this.kind;
    this.#files.delete(path);
    this.store.keep(`${logName} ${path}`, () => {
      this.store.database!.prepare(`DELETE FROM ${table} WHERE host = ? AND path = ?`).run(
        this.host.id,
        path,
      );
    });
  }

  /**
   * Deletes a file, and records that.
   *
   * @returns the reason why it stays; `over` if it was deleted, or is another file by now
   * @throws {ContractError} @throws {LibvirtError} @throws errors of `isEmpty`
   */
  async remove(
    { operation, step }: LeftFileRecord,
    isEmpty: () => Promise<boolean>,
  ): Promise<"over" | "in-use" | "has-data"> {
    const outcome = await removeUnused({ vms: this.host, operation }, step, isEmpty);
    if (outcome === "in-use" || outcome === "has-data") return outcome;
    this.forget(step.path);
    if (outcome.did !== "done") return "over";
    const { actor, command, vmId, subject } = operation;
    const about = vmId === undefined ? subject : vmName({ vmId, name: subject });
    this.host.record({
      actor,
      door: "agent",
      action: command,
      result: "ok",
      message: message`${about}: ${t("operations.removed", { what: step.path })}`,
      ...(vmId !== undefined && { vmId, vmName: subject }),
    });
    return "over";
  }

  #read(database: DatabaseSync): void {
    const { table } = this.kind;
    for (const row of database.prepare(`SELECT * FROM ${table} WHERE host = ?`).all(this.host.id)) {
      const operation = JSON.parse(String(row.operation)) as OperationRecord, [step] = operation.steps;
      // Another libvirt that the host's id was given later has none of what it made
      if (operation.uri !== this.host.link.uri || step?.kind !== "volume-made") continue;
      const path = String(row.path), at = this.kind.keptAt === undefined ? 0 : Number(row[this.kind.keptAt]);
      this.#files.set(path, { operation, step: { ...step, path }, at });
    }
  }
}
