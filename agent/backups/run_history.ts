/** History of backups' runs, by the records and by the content of their folders. */
import type { BackupManifest } from "../../lib/backup/manifest.ts";
import { type BackupCopy, type BackupRun, ContractError } from "../../lib/contract/mod.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import { log } from "../log.ts";
import { FolderProbeQueue } from "./folder_probe_queue.ts";
import type { BackupRecords, StoredBackup, StoredBackupRun, StoredCopy } from "./records.ts";
import { closing, type FoundCopy, type Repository } from "./repository.ts";

/** Opens the store of a backup. @throws {ContractError} BackupFolderUnusable, BackupTargetUnusable, … */
export type OpenBackup = (backup: StoredBackup) => Promise<Repository>;

/** A copy as a run has it. */
export function copyOf(manifest: BackupManifest, notes: readonly string[] = []): StoredCopy {
  const { id, vm, takenAt, consistency, disks, storedBytes, readBytes = null } = manifest;
  return {
    vmId: vm.id,
    name: vm.name,
    state: "done",
    message: notes.length === 0 ? null : notes.join(". "),
    takenAt,
    consistency,
    bytes: disks.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes,
    readBytes,
    disks: disks.map(({ target }) => target),
    copyId: id,
  };
}

/** A run, as it is told, with what is known of its copies. @param found only its folder knows it */
export function shownRun(
  records: BackupRecords,
  run: StoredBackupRun,
  { found, copies }: { readonly found: boolean; readonly copies: readonly StoredCopy[] },
): Unrendered<BackupRun> {
  return {
    ...run,
    found,
    copies: copies.map(({ copyId, ...copy }): Unrendered<BackupCopy> => ({
      ...copy,
      // Runs of earlier versions have not noted it.
      readBytes: copy.readBytes ?? null,
      verified: copyId === null ? null : records.check(copyId),
      bootTest: copyId === null ? null : records.bootTest(copyId),
    })),
  };
}

export class RunHistory {
  readonly #records: BackupRecords;
  readonly #open: OpenBackup;
  readonly #looks = new FolderProbeQueue<FoundCopy[] | undefined>();

  constructor(records: BackupRecords, open: OpenBackup) {
    this.#records = records;
    this.#open = open;
  }

  /** The run that began last, without a look into the folder. What was left out is none. */
  lastRun(backupId: string): Unrendered<BackupRun> | null {
    const isRun = ({ state }: StoredBackupRun) => state !== "skipped";
    // Mostly the newest, or the one before: only those are read at first
    const run = this.#records.runs(backupId, 2).find(isRun) ??
      this.#records.runs(backupId).find(isRun);
    return run === undefined ? null : this.#shown(run, run.copies);
  }

  /** The runs of a backup, the newest first, with what its folder has. @throws {ContractError} StoreUnavailable */
  async list(
    backup: StoredBackup,
    limit = Number.MAX_SAFE_INTEGER,
    { runId, until = Number.MAX_SAFE_INTEGER }: { readonly runId?: string; readonly until?: number } = {},
  ): Promise<Unrendered<BackupRun>[]> {
    return (await this.#all(backup)).filter(({ id, startedAt }) =>
      startedAt <= until && (runId === undefined || id === runId)
    ).slice(0, limit);
  }

  async #all(backup: StoredBackup): Promise<Unrendered<BackupRun>[]> {
    const stored = this.#records.runs(backup.id);
    const found = await this.#found(backup);
    if (found === undefined) return stored.map((run) => this.#shown(run, run.copies));
    const there = new Set(found.map(({ id }) => id));
    const known = new Set(stored.map(({ id }) => id));
    const own = stored.map((run) =>
      this.#shown(run, run.copies.filter(({ copyId }) => copyId === null || there.has(copyId)))
    ).filter((run, index) => run.copies.length > 0 || stored[index]!.copies.length === 0);
    const others = Map.groupBy(
      found.flatMap(({ manifest }) => manifest && !known.has(manifest.run.id) ? [manifest] : []),
      ({ run }) => run.id,
    );
    const foreign = [...others].map(([id, manifests]) => this.#ofFolder(id, manifests));
    return [...own, ...foreign].sort((a, b) => b.startedAt - a.startedAt);
  }

  /**
   * How many copies of a backup are no longer where it goes once it is another one: those that it has made, unless the new
   * place has some of it already. Nothing is read of the old place, which may be gone.
   */
  async leftBehind(before: StoredBackup, after: StoredBackup): Promise<number> {
    const made = this.#records.runs(before.id).flatMap(({ copies }) =>
      copies.filter(({ copyId }) => copyId !== null)
    );
    if (made.length === 0) return 0;
    const found = await this.#found(after) ?? [];
    return found.some(({ manifest }) => manifest?.backup.id === before.id) ? 0 : made.length;
  }

  /** A run, and its copies as the folder has them. @throws {ContractError} BackupRunNotFound, BackupFolderUnusable */
  async open(
    backup: StoredBackup,
    runId: string,
  ): Promise<{ readonly repository: Repository; readonly copies: FoundCopy[] }> {
    const repository = await this.#open(backup);
    const ids = new Set(
      this.#records.runs(backup.id).find(({ id }) => id === runId)?.copies.map(({ copyId }) => copyId),
    );
    try {
      const copies = (await repository.copies()).filter(({ id, manifest }) =>
        ids.has(id) || (manifest?.run.id === runId && this.#isListed(backup, manifest))
      );
      if (copies.length === 0) throw new ContractError("BackupRunNotFound", { runId });
      return { repository, copies };
    } catch (error) {
      await repository.store.close();
      throw error;
    }
  }

  /** Copies of this backup, and those of backups that are not known here: a lost host's. */
  #isListed(backup: StoredBackup, { backup: { id } }: BackupManifest): boolean {
    return id === backup.id || this.#records.get(id) === undefined;
  }

  /** Copies in the folder; undefined while it cannot be read, or does not answer in time. */
  #found(backup: StoredBackup): Promise<FoundCopy[] | undefined> {
    return this.#looks.ask(backup.targetId ?? backup.folder, backup.id, () => this.#look(backup));
  }

  async #look(backup: StoredBackup): Promise<FoundCopy[] | undefined> {
    try {
      const repository = await this.#open(backup);
      return await closing(
        repository,
        async () =>
          (await repository.copies()).filter(({ manifest }) =>
            manifest === undefined || this.#isListed(backup, manifest)
          ),
      );
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.debug("a folder of backups cannot be read", { folder: backup.folder, error });
      return undefined;
    }
  }

  #ofFolder(id: string, manifests: readonly BackupManifest[]): Unrendered<BackupRun> {
    const { startedAt, actor } = manifests[0]!.run;
    const endedAt = Math.max(...manifests.map(({ takenAt }) => takenAt));
    const run: StoredBackupRun = {
      id,
      startedAt,
      endedAt,
      state: "done",
      actor,
      jobId: null,
      message: `Found in the folder: backup ${manifests[0]!.backup.name} of ${manifests[0]!.host}`,
      copies: [],
    };
    const copies = manifests.map((manifest) => copyOf(manifest));
    return shownRun(this.#records, run, { found: true, copies });
  }

  #shown(run: StoredBackupRun, copies: readonly StoredCopy[]): Unrendered<BackupRun> {
    return shownRun(this.#records, run, { found: false, copies });
  }
}
