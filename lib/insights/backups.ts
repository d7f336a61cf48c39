/** Rules on what is kept of VMs. Pure. */
import { DAY_MS } from "../duration.ts";
import type { Backup } from "../contract/backups.ts";
import type { BackupFacts, FoundProblem, Rule, VmInsightFacts } from "./facts.ts";

/** Days after which a copy is old. */
const OLD_DAYS = 7;

/**
 * Backup facts of each VM from the last runs: the newest of them decides whether it failed. Read once, asked for many
 * VMs.
 */
export function backupFactsOf(backups: readonly Backup[]): (vmId: string) => BackupFacts {
  const facts = new Map<string, BackupFacts & { readonly at: number }>();
  for (const { lastRun } of backups) {
    for (const { vmId, state, takenAt } of lastRun?.copies ?? []) {
      const known = facts.get(vmId), at = lastRun!.startedAt;
      const newest = known === undefined || at > known.at ? { at, failed: state === "failed" } : known;
      const taken = Math.max(
        known?.takenAt ?? -Infinity,
        state === "done" ? takenAt ?? -Infinity : -Infinity,
      );
      facts.set(vmId, {
        at: newest.at,
        failed: newest.failed,
        ...(taken > -Infinity && { takenAt: taken }),
      });
    }
  }
  return (vmId) => {
    const { takenAt, failed = false } = facts.get(vmId) ?? {};
    return { ...(takenAt !== undefined && { takenAt }), failed };
  };
}

const hasDisk = ({ vm }: VmInsightFacts) =>
  vm.disks.some(({ device, readOnly }) => device === "disk" && !readOnly);

function missing(facts: VmInsightFacts): FoundProblem[] {
  const { backup } = facts;
  const isMissing = backup !== undefined && backup.takenAt === undefined && !backup.failed;
  return isMissing && hasDisk(facts) ? [{ severity: "info", vars: {} }] : [];
}

const failed = ({ backup }: VmInsightFacts): FoundProblem[] =>
  backup?.failed ? [{ severity: "warning", vars: {} }] : [];

const old = (now: () => number) => ({ backup }: VmInsightFacts): FoundProblem[] => {
  if (backup?.takenAt === undefined) return [];
  const days = Math.floor((now() - backup.takenAt) / DAY_MS);
  return days >= OLD_DAYS ? [{ severity: "warning", vars: { days } }] : [];
};

/** @param now milliseconds since 1970 */
export const backupRules = (now: () => number): readonly Rule<VmInsightFacts>[] => [
  { id: "backup_missing", category: "backup", find: missing },
  { id: "backup_failed", category: "backup", find: failed },
  { id: "backup_old", category: "backup", find: old(now) },
];
