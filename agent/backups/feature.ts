/** VMs that are kept in folders and other targets, and come back from there. */
import { type backupCommands, type backupTargetCommands, ContractError } from "../../lib/contract/mod.ts";
import { dueOf, handledAt } from "../../lib/schedules/due.ts";
import { delegateFor } from "../access/delegation.ts";
import type { App } from "../app.ts";
import { feature } from "../feature.ts";
import { log } from "../log.ts";
import { BootTests } from "./boot_tests.ts";
import { FileSessions } from "./file_sessions.ts";
import { backupHandlers } from "./handlers.ts";
import { BACKUP_MIGRATIONS, BackupRecords, type StoredBackup } from "./records.ts";
import { BackupRuns } from "./runs.ts";
import { backupSteps } from "./steps.ts";
import { targetHandlers } from "./target_handlers.ts";
import { TargetRecords } from "./target_records.ts";
import { openBackup } from "./targets.ts";

/** Milliseconds between looks at what is due. */
const LOOK_MS = 10_000;

/** Begins what is due, as who saved it. */
class BackupClock {
  constructor(
    private readonly app: App,
    private readonly records: BackupRecords,
    private readonly runs: BackupRuns,
  ) {}

  /** Looks at every backup once. Nobody waits for the runs. */
  async tick(stopping: AbortSignal): Promise<void> {
    this.runs.watch(stopping);
    if (!this.app.hosts.local.inventory.filled) return;
    try {
      this.runs.settle();
      for (const { id } of this.records.all()) await this.#look(this.records.get(id)!);
    } catch (error) {
      // Nothing runs that could not be written down: it would run again after a restart. The store has said why.
      if (!(error instanceof ContractError)) throw error;
      log.debug("backups wait for the database", { error });
    }
  }

  async #look(backup: StoredBackup): Promise<void> {
    const { clock, access } = this.app, { id, name, timing, missed, owner } = backup;
    if (!backup.enabled || timing === null) return;
    const now = clock.now();
    const due = dueOf(timing, handledAt(backup.handled, now) ?? now, now, missed);
    if (due.what === "wait") return;
    this.records.put({ ...backup, handled: now });
    if (due.what === "missed" || this.runs.isRunning(id)) return;
    const principal = delegateFor(access, owner, `backup:${id}`);
    const reason = typeof principal === "string" ? principal : undefined;
    try {
      if (typeof principal === "string") {
        throw new ContractError("BackupOwnerLost", { name: owner.name, reason });
      }
      await this.app.apiFor(principal).runBackupNow({ backupId: id });
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.warn("a backup that was due did not run", { backup: name, error });
      this.runs.refused(backup, owner.name, error.message);
    }
  }
}

export const backupFeature = feature<
  keyof typeof backupCommands | keyof typeof backupTargetCommands,
  never,
  keyof typeof backupSteps
>({
  name: "backups",
  migrations: BACKUP_MIGRATIONS,
  steps: backupSteps,
  open: (app) => {
    const { store, clock, jobs, hosts, settings: { dataDir: stateDir } } = app;
    const records = new BackupRecords(store);
    const host = () => hosts.local;
    const bootTests = new BootTests({ records, clock, jobs, host });
    const targets = new TargetRecords(store), reach = { clock, host };
    const open = (backup: StoredBackup) => openBackup(backup, targets, reach);
    const runs = new BackupRuns(records, { clock, jobs, host, stateDir, open, bootTests });
    const files = new FileSessions({ clock, host });
    const due = new BackupClock(app, records, runs);
    return {
      handlers: {
        ...backupHandlers({
          ...{ records, targets, runs, bootTests, files, clock, jobs, open, host },
          vmsOf: (principal) => app.apiFor(principal).getVms(),
        }),
        ...targetHandlers({ targets, backups: records, isRunning: (id) => runs.isRunning(id), ...reach }),
      },
      periodic: [{ name: "backups", every: () => LOOK_MS, run: (signal) => due.tick(signal) }],
      stop: async () => {
        await files.stop();
        await runs.stop();
      },
    };
  },
});
