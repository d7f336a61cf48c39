/** Boot tests of runs: as somebody wants them, and by themselves after a run, as its backup says. */
import { type BootTest, ContractError } from "../../lib/contract/mod.ts";
import { isBootTestDue } from "../../lib/backup/boot_due.ts";
import { contentBytes } from "./verify.ts";
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { bootTest } from "./trial_boot.ts";
import { restoreFailure } from "./make_disk.ts";
import type { BackupRecords, StoredBackup, StoredBackupRun } from "./records.ts";
import { closing, type FoundCopy, type Repository } from "./repository.ts";

/** Services of boot tests. */
export interface BootTestsOptions {
  readonly records: BackupRecords;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "run">;
  readonly host: () => LibvirtHost;
}

/** Copies that are to be booted, and how. */
export interface BootTestsOf {
  readonly backup: Pick<StoredBackup, "id" | "name">;
  readonly repository: Repository;
  readonly copies: readonly FoundCopy[];
  readonly actor: string;
  readonly pool?: string | undefined;
  readonly seconds?: number | undefined;
}

export class BootTests {
  /** @param boot boots one copy */
  constructor(private readonly options: BootTestsOptions, private readonly boot = bootTest) {}

  /**
   * Boots copies one after the other, as a task.
   *
   * @throws {ContractError} HostInMaintenance, BootTestNotPossible, those of restoring, JobCancelled
   */
  async run(
    { backup, repository, copies, actor, pool, seconds }: BootTestsOf,
  ): Promise<{ readonly ok: boolean; readonly restoredBytes: number }> {
    const { jobs, clock, records } = this.options;
    const sizeOf = ({ manifest }: FoundCopy) => manifest === undefined ? 0 : contentBytes(manifest);
    const total = copies.reduce((sum, copy) => sum + sizeOf(copy), 0);
    let ok = true, restoredBytes = 0, before = 0;
    await jobs.run({
      command: "verify_backup",
      title: `Boot test of backup job ${backup.name}`,
      actor,
      lane: "copy",
      ifInterrupted: "What it had made is removed by itself. Test it again.",
    }, async (job) => {
      try {
        for (const copy of copies) {
          job.signal.throwIfAborted();
          const first = before;
          before += sizeOf(copy);
          const tested = copy.manifest === undefined
            ? { ok: false, by: null, seconds: 0, png: undefined, restoredBytes: 0 } as const
            : await this.boot({
              repository,
              copy,
              job,
              clock,
              actor,
              pool,
              seconds,
              manifest: copy.manifest,
              host: this.options.host().requireFilled(),
              onBytes: (done) => job.progress(first + done, total),
              // How long a guest takes to come up is not known
              onBoot: () => job.progress(before, null),
            });
          const message = "message" in tested ? tested.message : copy.fault ?? "It cannot be read";
          const record: BootTest = {
            at: clock.now(),
            ok: tested.ok,
            by: tested.by,
            message,
            seconds: tested.seconds,
            screen: tested.png !== undefined,
          };
          records.keepBootTest(copy.id, record, tested.png, {
            backupId: backup.id,
            vmId: copy.manifest?.vm.id,
          });
          job.log(`${copy.manifest?.vm.name ?? copy.id}: ${message ?? `up after ${tested.seconds} seconds`}`);
          ok &&= tested.ok;
          restoredBytes += tested.restoredBytes;
        }
      } catch (error) {
        job.signal.throwIfAborted();
        throw restoreFailure(error, "verify_backup");
      }
    });
    return { ok, restoredBytes };
  }

  /** Tests what a run has made, where its backup wants that by now. Never fails: how it ended, the task says. */
  async after(
    backup: StoredBackup,
    { copies, actor }: Pick<StoredBackupRun, "copies" | "actor">,
    open: () => Promise<Repository>,
  ): Promise<void> {
    const { records, clock } = this.options, now = clock.now();
    try {
      const due = new Set(
        copies.filter(({ vmId, state }) =>
          state === "done" && isBootTestDue(backup.bootTest, records.lastBootTest(backup.id, vmId), now)
        ).map(({ copyId }) => copyId),
      );
      if (due.size === 0) return;
      const repository = await open();
      await closing(repository, () =>
        repository.locked("content", false, async () => {
          // Looked up while they cannot be deleted
          const made = (await repository.copies()).filter(({ id }) => due.has(id));
          if (made.length > 0) await this.run({ backup, repository, actor, copies: made });
        }));
    } catch (error) {
      if (!(error instanceof ContractError)) {
        return log.error("a boot test failed unexpectedly", { backup: backup.name, error });
      }
      log.warn("a backup was not booted as a test", { backup: backup.name, error });
    }
  }
}
