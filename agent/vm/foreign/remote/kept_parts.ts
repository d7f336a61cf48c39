/**
 * Volumes that disks were arriving in from other machines when their import was cut: by the end of KVM Manager or libvirt, or by
 * a line that did not come back. The next import of the same disk, in the same state, into the same pool goes on with what has
 * come; without one they are deleted after a day.
 */
import type { DatabaseSync } from "node:sqlite";
import { message } from "../../../../lib/i18n/message.ts";
import { LibvirtError } from "../../../../ffi/error.ts";
import { ContractError } from "../../../../lib/contract/mod.ts";
import { DAY_MS } from "../../../../lib/duration.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { HostParts } from "../../../hosts/kept_parts.ts";
import type { MadeFile } from "../../../hosts/unused_overlays.ts";
import { isSystemError } from "../../../machine/files.ts";
import { log } from "../../../log.ts";
import { identityAt, isSame } from "../../../operations/file_identity.ts";
import { t } from "../../../operations/outcome.ts";
import type { OperationRecord, VolumeMade } from "../../../operations/step.ts";
import { removeUnused } from "../../../storage/volume_steps.ts";
import type { Migration } from "../../../store/migrations.ts";
import type { Store } from "../../../store/store.ts";

/** Milliseconds that one is kept. */
const KEPT_MS = DAY_MS;

export const KEPT_PART_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE kept_parts (
     host      TEXT NOT NULL,
     path      TEXT NOT NULL,
     kept_at   INTEGER NOT NULL, -- ms since 1970
     operation TEXT NOT NULL,    -- JSON: the import that made it, with the step that did
     PRIMARY KEY (host, path)
   ) STRICT;`,
];

/** Forgets those of a host that was removed. */
export const forgetKeptParts = (store: Store, host: string): void =>
  store.keep(
    `parts of imports of ${host}`,
    () => void store.database!.prepare("DELETE FROM kept_parts WHERE host = ?").run(host),
  );

/** The step that made a volume which disks arrive in. */
export type ArrivingVolume = MadeFile & Required<Pick<VolumeMade, "arriving">>;

interface KeptPart {
  readonly at: number;
  readonly operation: OperationRecord;
  readonly step: ArrivingVolume;
}

export class KeptParts implements HostParts, Disposable {
  readonly #parts = new Map<string, KeptPart>();
  readonly #attached: Disposable;

  constructor(private readonly host: LibvirtHost, private readonly store: Store) {
    this.#attached = store.attach((database) => this.#read(database));
  }

  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }

  async keep(operation: OperationRecord, step: MadeFile): Promise<boolean> {
    const { path, arriving } = step;
    if (arriving === undefined || !await isThere(step)) return false;
    const record = { ...operation, keys: [], steps: [step] }, at = this.host.clock.now();
    this.#parts.set(path, { at, operation: record, step: { ...step, arriving } });
    this.store.keep(`part of an import ${path}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO kept_parts (host, path, kept_at, operation) VALUES (?, ?, ?, ?)",
      ).run(this.host.id, path, at, JSON.stringify(record));
    });
    return true;
  }

  /**
   * Hands out the volume that a disk was arriving in, once: whoever takes it writes that down, and tells so ({@link adopted}).
   * What somebody has deleted or replaced since is forgotten.
   *
   * @param source the disk in the state that it has now
   */
  async take(pool: string, source: string): Promise<ArrivingVolume | undefined> {
    const found = [...this.#parts.values()].find(({ step }) =>
      step.pool === pool && step.arriving.source === source
    );
    if (found === undefined) return undefined;
    const { step } = found;
    this.#parts.delete(step.path);
    if (await isThere(step)) return step;
    this.#forget(step.path);
    return undefined;
  }

  /** It is a step of another import by now. */
  adopted(path: string): void {
    this.#forget(path);
  }

  /** Deletes the one that has a name which is needed for another disk. @throws {ContractError} @throws {LibvirtError} */
  async clear(pool: string, name: string): Promise<void> {
    for (const part of [...this.#parts.values()]) {
      if (part.step.pool === pool && part.step.name === name) await this.#remove(part);
    }
  }

  /** Deletes those whose time is over. What cannot be deleted now is deleted later. */
  async sweep(): Promise<void> {
    const now = this.host.clock.now();
    for (const part of [...this.#parts.values()].filter(({ at }) => now - at > KEPT_MS)) {
      try {
        await this.#remove(part);
      } catch (error) {
        if (
          !(error instanceof LibvirtError || error instanceof ContractError) && !isSystemError(error)
        ) throw error;
        log.debug("a part of an import cannot be deleted now", { path: part.step.path, error });
      }
    }
  }

  async #remove({ operation, step }: KeptPart): Promise<void> {
    const at = { vms: this.host, operation };
    const outcome = await removeUnused(at, step, () => Promise.resolve(true));
    if (outcome === "in-use" || outcome === "has-data") return;
    this.#forget(step.path);
    if (outcome.did !== "done") return;
    const { actor, command, subject } = operation;
    this.host.record({
      ...{ actor, door: "agent", action: command, result: "ok" },
      message: message`${subject}: ${t("operations.removed", { what: step.path })}`,
    });
  }

  #forget(path: string): void {
    this.#parts.delete(path);
    this.store.keep(`part of an import ${path}`, () => {
      this.store.database!.prepare("DELETE FROM kept_parts WHERE host = ? AND path = ?")
        .run(this.host.id, path);
    });
  }

  #read(database: DatabaseSync): void {
    const rows = database.prepare("SELECT path, kept_at, operation FROM kept_parts WHERE host = ?").all(
      this.host.id,
    );
    for (const { path, kept_at: at, operation } of rows) {
      const record = JSON.parse(String(operation)) as OperationRecord, [step] = record.steps;
      // Another libvirt that the host's id was given later has none of what it made
      if (record.uri !== this.host.link.uri || step?.kind !== "volume-made") continue;
      const { arriving } = step;
      if (arriving === undefined) continue;
      this.#parts.set(String(path), {
        at: Number(at),
        operation: record,
        step: { ...step, path: String(path), arriving },
      });
    }
  }
}

async function isThere({ path, file }: MadeFile): Promise<boolean> {
  const found = await identityAt(path);
  return found !== null && file !== null && isSame(found, file);
}
