/** State of backups, as alerts check it. Pure. */
import { DAY_MS } from "../duration.ts";
import type { Backup, BackupRunState } from "../contract/backups.ts";
import type { AlertRule } from "../contract/alerts.ts";
import type { VM } from "../contract/vm.ts";
import type { Schedule } from "../contract/schedules.ts";
import { isCovered } from "../coverage/coverage.ts";
import { backupFactsOf } from "../insights/backups.ts";
import { type Observation, observe } from "./watch.ts";

/** Result of a check, and the figure that goes with it. */
export interface CheckResult {
  readonly seen: Observation;
  readonly value: number;
}

/** State of a run → what it says. One that was cancelled or skipped, or is under way, says nothing of the one before. */
const RUNS: Readonly<Record<BackupRunState, Observation>> = {
  running: "unknown",
  done: "good",
  failed: "bad",
  cancelled: "unknown",
  interrupted: "bad",
  skipped: "unknown",
};

/** Whether the last run of a backup failed, and for how many VMs. One that never ran, or is switched off, is no more. */
export function seenOfRun({ lastRun, enabled }: Pick<Backup, "lastRun" | "enabled">): CheckResult {
  if (lastRun === null || !enabled) return { seen: "gone", value: 0 };
  const failed = lastRun.copies.filter(({ state }) => state === "failed").length;
  const seen = RUNS[lastRun.state];
  return { seen: seen === "good" && failed > 0 ? "bad" : seen, value: failed };
}

/**
 * Whether copies of a backup's last run are damaged or did not boot, and how many. A new run's copies, which were not
 * tested yet, say nothing of those before.
 */
export function seenOfTests({ lastRun, enabled }: Pick<Backup, "lastRun" | "enabled">): CheckResult {
  if (lastRun === null || !enabled) return { seen: "gone", value: 0 };
  const tested = lastRun.copies.filter(({ verified, bootTest }) => (verified ?? bootTest) !== null);
  const failed = tested.filter(({ verified, bootTest }) =>
    !(verified?.ok ?? true) || !(bootTest?.ok ?? true)
  );
  if (tested.length === 0) return { seen: "unknown", value: 0 };
  return { seen: failed.length > 0 ? "bad" : "good", value: failed.length };
}

type Frequency = Backup["frequency"];
const comesAgain = (frequency: Frequency) => frequency !== "by-hand" && frequency !== "once";

/** A schedule, as far as it runs a backup. */
export type RunsBackup = Pick<Schedule, "backupId" | "frequency">;

/**
 * Whether a backup is meant to run again and again: at its own times, or by a schedule. A schedule that is switched off counts,
 * for the copies get older then, which is what is watched.
 */
const isScheduled = ({ id, enabled, frequency }: Backup, schedules: readonly RunsBackup[]) =>
  enabled &&
  (comesAgain(frequency) ||
    schedules.some((each) => each.backupId === id && comesAgain(each.frequency)));

/** Whether the last run of a schedule failed, and for how many VMs. One that never ran, or is switched off, is no more. */
export function seenOfSchedule({ lastRun, enabled }: Pick<Schedule, "lastRun" | "enabled">): CheckResult {
  if (lastRun === null || !enabled) return { seen: "gone", value: 0 };
  const { failed } = lastRun.counts, seen = RUNS[lastRun.state];
  return { seen: seen === "good" && failed > 0 ? "bad" : seen, value: failed };
}

/** Whether a VM counts for a backup: it is meant now, or was at the last run, or was left out since. */
const isOf = ({ targets, lastRun, leftOut = [] }: Backup, vm: Pick<VM, "id" | "tags" | "group">): boolean =>
  targets.all === true || isCovered(targets, vm) || leftOut.some(({ vmId }) => vmId === vm.id) ||
  (lastRun?.copies ?? []).some(({ vmId }) => vmId === vm.id);

/**
 * Whether the newest copy of a VM is too old. An alert on everything means the VMs that backups take at set times; one on a
 * VM or a group means those, whether or not a backup takes them. After a run that failed it is not known when the copy
 * before was taken, unless that is told. A VM that has lost the tag or the group by which a backup took it goes on: its
 * newest copy gets older.
 *
 * @param schedules those that run backups
 * @param now milliseconds since 1970
 * @param newest when the newest copy that a backup has made of a VM was taken
 */
export function seenOfCopies(
  backups: readonly Backup[],
  schedules: readonly RunsBackup[],
  now: number,
  newest: (backupId: string, vmId: string) => number | undefined,
): (rule: AlertRule, vm: Pick<VM, "id" | "tags" | "group">) => CheckResult {
  const scheduled = backups.filter((backup) => isScheduled(backup, schedules));
  const ofAll = backupFactsOf(backups), ofScheduled = backupFactsOf(scheduled);
  return (rule, vm) => {
    const isMeant = rule.scope === "vm" || rule.scope === "group";
    const { takenAt: last = -Infinity, failed } = (isMeant ? ofAll : ofScheduled)(vm.id);
    const counted = isMeant ? backups : scheduled.filter((backup) => isOf(backup, vm));
    const takenAt = Math.max(last, ...counted.map(({ id }) => newest(id, vm.id) ?? -Infinity));
    if (takenAt > -Infinity) {
      const days = (now - takenAt) / DAY_MS;
      return { seen: observe(days, rule), value: days };
    }
    if (failed) return { seen: "unknown", value: NaN };
    return { seen: isMeant ? "bad" : "gone", value: NaN };
  };
}
