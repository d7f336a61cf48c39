/**
 * Volumes that disks were arriving in from other machines when their import was cut: by the end of KVM Manager or libvirt, or by
 * a line that did not come back. The next import of the same disk, in the same state, into the same pool goes on with what has
 * come; without one they are deleted after a day.
 */
import { LibvirtError } from "../../../../ffi/error.ts";
import { ContractError } from "../../../../lib/contract/mod.ts";
import { DAY_MS } from "../../../../lib/duration.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { HostParts, MadeFile } from "../../../hosts/left_files.ts";
import { isSystemError } from "../../../machine/files.ts";
import { log } from "../../../log.ts";
import { identityAt, isSame } from "../../../operations/file_identity.ts";
import type { VolumeMade } from "../../../operations/step.ts";
import type { OperationRecord } from "../../../operations/operation_record.ts";
import { type LeftFileRecord, LeftFiles, type LeftFileTable } from "../../../storage/left_files.ts";
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

/** The table of kept parts. */
export const KEPT_PARTS: LeftFileTable = {
  table: "kept_parts",
  keptAt: "kept_at",
  logName: "part of an import",
};

/** The step that made a volume which disks arrive in. */
export type ArrivingVolume = MadeFile & Required<Pick<VolumeMade, "arriving">>;

export class KeptParts implements HostParts, Disposable {
  readonly #parts: LeftFiles;

  constructor(private readonly host: LibvirtHost, store: Store) {
    this.#parts = new LeftFiles(host, store, KEPT_PARTS);
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]();
  }

  async keep(operation: OperationRecord, step: MadeFile): Promise<boolean> {
    if (step.arriving === undefined || !await isThere(step)) return false;
    this.#parts.put(operation, step);
    return true;
  }

  /**
   * Hands out the volume that a disk was arriving in, once: whoever takes it writes that down, and tells so ({@link adopted}).
   * A volume that was deleted or replaced since is forgotten.
   *
   * @param source the disk in the state that it has now
   */
  async take(pool: string, source: string): Promise<ArrivingVolume | undefined> {
    for (const { step } of this.#parts.all()) {
      const { arriving, path } = step;
      if (step.pool !== pool || arriving?.source !== source) continue;
      this.#parts.lend(path);
      if (await isThere(step)) return { ...step, arriving };
      this.#parts.forget(path);
      return undefined;
    }
    return undefined;
  }

  /** It is a step of another import by now. */
  adopted(path: string): void {
    this.#parts.forget(path);
  }

  /** Deletes the one that has a name which is needed for another disk. @throws {ContractError} @throws {LibvirtError} */
  async clear(pool: string, name: string): Promise<void> {
    for (const part of this.#parts.all()) {
      if (part.step.pool === pool && part.step.name === name) await this.#remove(part);
    }
  }

  /** Deletes those whose time is over. What cannot be deleted now is deleted later. */
  async sweep(): Promise<void> {
    const now = this.host.clock.now();
    for (const part of this.#parts.all().filter(({ at }) => now - at > KEPT_MS)) {
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

  async #remove(part: LeftFileRecord): Promise<void> {
    await this.#parts.remove(part, () => Promise.resolve(true));
  }
}

async function isThere({ path, file }: MadeFile): Promise<boolean> {
  const found = await identityAt(path);
  return found !== null && file !== null && isSame(found, file);
}
