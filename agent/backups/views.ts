/** Backups as people and alerts see them: what is stored, with when they run next and what keeps them from it. */
import { type Backup, NEXT_RUNS } from "../../lib/contract/mod.ts";
import { handledAt } from "../../lib/schedules/due.ts";
import { nextRuns } from "../../lib/schedules/next_run.ts";
import { type Clock, hostZone } from "../clock.ts";
import { type Coverage, leftOutFields } from "../coverage/coverage.ts";
import type { BackupRecords, StoredBackup } from "./records.ts";
import type { RunHistory } from "./run_history.ts";
import type { BackupRuns } from "./runs.ts";
import type { TargetRecords } from "./target_records.ts";
import { addressOf } from "./targets.ts";

/** Sources of the views. */
export interface BackupViewSources {
  readonly records: BackupRecords;
  readonly targets: TargetRecords;
  readonly runs: BackupRuns;
  readonly history: RunHistory;
  readonly clock: Clock;
  readonly coverage: Pick<Coverage, "uncovered" | "nameOf">;
  /** Why a backup cannot run as who it runs as. */
  readonly ownerLost: (backup: StoredBackup) => string | undefined;
  /** Ids of VMs that it had at its last run and has no more. */
  readonly leftOut: (backup: StoredBackup) => readonly string[];
}

/** A backup as it is told; its messages have no texts yet. */
export function backupView(
  { targets, runs, history, clock, coverage, ownerLost, leftOut }: BackupViewSources,
  backup: StoredBackup,
): Backup {
  const { timing, owner, handled, repository: _repository, targetId, ...kept } = backup;
  const { covered: _covered, leftOut: _leftOut, ...rest } = kept, lost = ownerLost(backup);
  const isRunning = runs.isRunning(backup.id), now = clock.now();
  const target = targetId === undefined ? undefined : targets.get(targetId);
  return {
    ...rest,
    folder: target === undefined ? rest.folder : addressOf(target),
    target: target === undefined ? null : { id: target.id, name: target.name, kind: target.kind },
    encrypted: target?.encryption !== undefined,
    ...(timing ?? { frequency: "by-hand", timeZone: hostZone() }),
    runsAs: owner.name,
    next: backup.enabled && timing !== null ? nextRuns(timing, handledAt(handled, now, now), NEXT_RUNS) : [],
    running: isRunning,
    ...coverage.uncovered(backup.targets),
    ...leftOutFields(leftOut(backup), coverage.nameOf),
    ...(lost !== undefined && { ownerLost: lost }),
    lastRun: history.lastRun(backup.id),
  } as Backup;
}

/** All of them, by name. @throws {ContractError} StoreUnavailable */
export function backupViews(sources: BackupViewSources): Backup[] {
  sources.records.require();
  return sources.records.all().map((each) => backupView(sources, each))
    .sort((a, b) => a.name.localeCompare(b.name));
}
