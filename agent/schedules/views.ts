/** Schedules as people and alerts see them: what is stored, with when they run next and what keeps them from it. */
import { NEXT_RUNS, type Schedule } from "../../lib/contract/mod.ts";
import { handledAt } from "../../lib/schedules/due.ts";
import { nextRuns } from "../../lib/schedules/next_run.ts";
import type { Clock } from "../clock.ts";
import { type Coverage, leftOutFields } from "../coverage/coverage.ts";
import type { ScheduleRecords, StoredSchedule } from "./records.ts";
import type { Scheduler } from "./scheduler.ts";

/** Sources of a schedule's view: records, runs, the clock, visible VMs, and the loss of its owner or VMs. */
export interface ScheduleViewSources {
  readonly records: ScheduleRecords;
  readonly scheduler: Pick<Scheduler, "isRunning">;
  readonly clock: Clock;
  readonly coverage: Pick<Coverage, "uncovered" | "nameOf">;
  /** Why a schedule cannot run as who it runs as. */
  readonly ownerLost: (schedule: StoredSchedule) => string | undefined;
  /** Ids of VMs that it had at its last run and has no more. */
  readonly leftOut: (schedule: StoredSchedule) => readonly string[];
}

/** A schedule as it is told. */
export function scheduleView(
  { records, scheduler, clock, coverage, ownerLost, leftOut }: ScheduleViewSources,
  schedule: StoredSchedule,
): Schedule {
  const { timing, owner, handled, covered: _covered, leftOut: _leftOut, ...rest } = schedule;
  const lost = ownerLost(schedule), now = clock.now();
  return {
    ...rest,
    ...timing,
    ...(timing.frequency === "weekly" && { weekdays: [...timing.weekdays] }),
    runsAs: owner.name,
    next: schedule.enabled ? nextRuns(timing, handledAt(handled, now, now), NEXT_RUNS) : [],
    running: scheduler.isRunning(schedule.id),
    ...coverage.uncovered(schedule.targets),
    ...leftOutFields(leftOut(schedule), coverage.nameOf),
    ...(lost !== undefined && { ownerLost: lost }),
    lastRun: records.lastRun(schedule.id),
  } as Schedule;
}

/** All of them, by name. @throws {ContractError} StoreUnavailable */
export function scheduleViews(sources: ScheduleViewSources): Schedule[] {
  sources.records.require();
  return sources.records.all().map((each) => scheduleView(sources, each))
    .sort((a, b) => a.name.localeCompare(b.name));
}
