/** Backups in words. Pure. */
import type { Unrendered } from "../i18n/message.ts";
import type { Backup, BackupCopy, BackupRun, BootTest, BootTestPolicy } from "../contract/backups.ts";
import { backups } from "../i18n/en/backups.ts";
import { textsOf } from "../i18n/mod.ts";
import { scheduleTargetsText as namedText, scheduleWhenText as scheduleText } from "../schedules/describe.ts";

const { t, plural } = textsOf(backups);

/** Address of the page of a backup. */
export const backupHref = (id: string): string => `/backups/${encodeURIComponent(id)}`;

/** Address of its page with the runs that began at a moment, or before it. */
export const runsHref = (id: string, until: number): string => `${backupHref(id)}?until=${until}`;

/** When a backup runs: `Daily at 03:30`. */
export function whenText(backup: Backup): string {
  const { frequency } = backup;
  return frequency === "by-hand" ? t("backups.by_hand") : scheduleText({ ...backup, frequency });
}

/** Names of the VMs, tags and groups of a backup job. */
export const targetsText = ({ targets }: Backup): string =>
  targets.all ? t("backups.all") : namedText({ targets });

const KINDS = [
  ["keepDaily", "backups.kept_daily"],
  ["keepWeekly", "backups.kept_weekly"],
  ["keepMonthly", "backups.kept_monthly"],
  ["keepYearly", "backups.kept_yearly"],
] as const;

/** Retention of a backup job: `the newest 7 copies of each VM, 4 weekly`. */
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

/** When copies are booted as a test → in words. */
export const BOOT_POLICIES = {
  never: "backups.boot_policy.never",
  weekly: "backups.boot_policy.weekly",
  "each-run": "backups.boot_policy.each-run",
} as const satisfies Record<BootTestPolicy, string>;

/** How far what the guest wrote is in a copy; that it failed, where there is none. */
export const consistencyText = ({ consistency }: BackupCopy): string =>
  t(consistency === null ? "backups.copy_failed" : CONSISTENCIES[consistency]);

/** Verification of a run's copies: the worst result of a check, or `none` without copies. */
export function verifiedOf(copies: readonly Unrendered<BackupCopy>[]): "ok" | "bad" | "never" | "none" {
  const done = copies.filter(({ state }) => state === "done");
  if (done.length === 0) return "none";
  if (done.some(({ verified }) => verified?.ok === false)) return "bad";
  // A copy that was booted had each chunk checked while it was restored.
  return done.every(({ verified, bootTest }) => verified?.ok ?? bootTest?.ok) ? "ok" : "never";
}

/** Boot tests of a run's copies: the worst result, or `none` without copies. */
export function bootedOf(copies: readonly BackupCopy[]): "ok" | "bad" | "never" | "none" {
  const done = copies.filter(({ state }) => state === "done");
  if (done.length === 0) return "none";
  if (done.some(({ bootTest }) => bootTest?.ok === false)) return "bad";
  return done.every(({ bootTest }) => bootTest?.ok) ? "ok" : "never";
}

/** Result of a boot test: `Its guest agent answered after 41 s`. */
export function bootTestText({ ok, by, seconds, message }: BootTest): string {
  if (!ok) return message ?? t("backups.boot_bad");
  return t(by === "agent" ? "backups.boot_agent" : "backups.boot_screen", { seconds });
}

/** Address of the picture of a copy's screen in its boot test; another one for another test. */
export function bootScreenHref(backupId: string, runId: string, vmId: string, { at }: BootTest): string {
  const parts = [backupId, "runs", runId, "vms", vmId].map(encodeURIComponent).join("/");
  return `/api/v1/backups/${parts}/screen.png?at=${at}`;
}

/** A copy of a VM, with its run. */
export interface CopyOfRun {
  readonly run: BackupRun;
  readonly copy: BackupCopy;
}

/** The copy that says most of a backup: the one that was booted last, else the newest. @param runs the newest first */
export function tellingCopy(runs: readonly BackupRun[]): CopyOfRun | undefined {
  const copies = runs.flatMap((run) => run.copies.map((copy) => ({ run, copy })))
    .filter(({ copy }) => copy.state === "done");
  const tested = copies.filter(({ copy }) => copy.bootTest !== null);
  return tested.sort((a, b) => b.copy.bootTest!.at - a.copy.bootTest!.at)[0] ?? copies[0];
}

/**
 * Sizes of backups together, those that failed left out: as guests see their disks, what they added to the folder, and what
 * was read; null where that is not known of each.
 */
export function totalSizes(
  copies: readonly Pick<BackupCopy, "state" | "bytes" | "storedBytes" | "readBytes">[],
): { readonly bytes: number; readonly storedBytes: number; readonly readBytes: number | null } {
  const done = copies.filter(({ state }) => state === "done");
  return {
    bytes: done.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: done.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    readBytes: done.reduce<number | null>(
      (sum, { readBytes }) => sum === null || readBytes === null ? null : sum + readBytes,
      0,
    ),
  };
}
