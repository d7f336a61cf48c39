/** Data of a backup job's page, read in the same way by the server and the browser. Pure. */
import type { Backup, BackupDayRun, BackupRun, Input, Output } from "../contract/mod.ts";

/** Runs that are on a page. */
const LISTED = 50;

/** Commands that the page reads with: the client of the contract. */
interface Reads {
  readonly getBackup: (input: Input<"get_backup">) => Promise<Output<"get_backup">>;
  readonly listBackupRuns: (input: Input<"list_backup_runs">) => Promise<Output<"list_backup_runs">>;
  readonly listBackupDays: (input: Input<"list_backup_days">) => Promise<Output<"list_backup_days">>;
}

/** Data of the page. */
export interface BackupPage {
  readonly backup: Backup;
  readonly days: readonly BackupDayRun[];
  /** The runs of this page, the newest first. */
  readonly runs: readonly BackupRun[];
  /** The first one of the next page; undefined on the last. */
  readonly next?: BackupRun | undefined;
  readonly now: number;
}

/** Reads it. @param until the newest moment at which runs began that are shown */
export async function readBackupPage(
  api: Reads,
  { backupId, until }: { readonly backupId: string; readonly until: number | undefined },
): Promise<BackupPage> {
  const [backup, runs, days] = await Promise.all([
    api.getBackup({ backupId }),
    api.listBackupRuns({ backupId, limit: LISTED + 1, ...(until !== undefined && { until }) }),
    api.listBackupDays({ backupId }),
  ]);
  return { backup, days, runs: runs.slice(0, LISTED), next: runs[LISTED], now: Date.now() };
}
