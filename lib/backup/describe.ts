/** Backups in words. Pure. */
import type { Backup, BackupCopy, BackupRun } from "../contract/backups.ts";
import { backups } from "../i18n/en/backups.ts";
import { textsOf } from "../i18n/mod.ts";
import { targetsText as namedText, whenText as scheduleText } from "../schedules/describe.ts";

const { t, plural } = textsOf(backups);

/** Address of the page of a backup. */
export const backupHref = (id: string): string => `/backups/${encodeURIComponent(id)}`;

/** When a backup runs: `Daily at 03:30`. */
export function whenText(backup: Backup): string {
  const { frequency } = backup;
  return frequency === "by-hand" ? t("backups.by_hand") : scheduleText({ ...backup, frequency });
}

/** Which VMs a backup is for. */
export const targetsText = ({ targets }: Backup): string =>
  targets.all ? t("backups.all") : namedText({ targets });

const KINDS = [
  ["keepDaily", "backups.kept_daily"],
  ["keepWeekly", "backups.kept_weekly"],
  ["keepMonthly", "backups.kept_monthly"],
  ["keepYearly", "backups.kept_yearly"],
] as const;

/** What is kept: `the newest 7 copies of each VM, 4 weekly`. */
export function keptText(backup: Backup): string {
  const more = KINDS.filter(([field]) => backup[field] > 0).map(([field, word]) =>
    t(word, { n: backup[field] })
  );
  return [plural("backups.kept_newest", backup.keep), ...more].join(", ");
}

const CONSISTENCIES = {
  stopped: "backups.consistency.stopped",
  frozen: "backups.consistency.frozen",
  crash: "backups.consistency.crash",
} as const;

/** How far what the guest wrote is in a copy; that it failed, where there is none. */
export const consistencyText = ({ consistency }: BackupCopy): string =>
  t(consistency === null ? "backups.copy_failed" : CONSISTENCIES[consistency]);

/** What is known of the copies of a run: the worst that a check found, or that there was none. */
export function verifiedOf(copies: readonly BackupCopy[]): "ok" | "bad" | "never" | "none" {
  const done = copies.filter(({ state }) => state === "done");
  if (done.length === 0) return "none";
  if (done.some(({ verified }) => verified?.ok === false)) return "bad";
  return done.every(({ verified }) => verified?.ok) ? "ok" : "never";
}

/** Bytes of a run: as guests see them, and what it added to the folder. */
export function sizesOf({ copies }: BackupRun): { readonly bytes: number; readonly stored: number } {
  return {
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
    stored: copies.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  };
}
