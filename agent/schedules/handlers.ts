/** The commands on schedules. */
import {
  ContractError,
  type Input,
  MOST_SCHEDULES,
  NEXT_RUNS,
  type Schedule,
  type scheduleCommands,
  type VM,
} from "../../lib/contract/mod.ts";
import { nextRuns } from "../../lib/schedules/next_run.ts";
import { timingOf } from "../../lib/schedules/read_timing.ts";
import type { TimingFields } from "../../lib/schedules/timing.ts";
import { isNoTarget, type Targets as Named } from "../../lib/access/redact.ts";
import { delegatorOf } from "../access/delegation.ts";
import { hiddenTargets, joinTargets } from "../access/keep_hidden.ts";
import type { Principal } from "../access.ts";
import { hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { StoredSchedule } from "./records.ts";
import type { Scheduler } from "./scheduler.ts";
import { scheduleView, scheduleViews, type ScheduleViewSources } from "./views.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

type Targets = StoredSchedule["targets"];

const NO_TARGETS: Targets = { vmIds: [], tags: [], groups: [] };

/** Services for the commands on schedules: the scheduler, the visible VMs, and the check of a backup. */
export interface ScheduleContext extends ScheduleViewSources {
  readonly scheduler: Scheduler;
  /** The VMs that somebody may see. */
  readonly vmsOf: (principal: Principal) => Promise<readonly VM[]>;
  /** @throws {ContractError} BackupNotFound, or what keeps somebody from seeing it */
  readonly requireBackup: (principal: Principal, backupId: string) => Promise<void>;
}

const invalid = (field: string, reason: Sentence) => new ContractError("InvalidInput", { reason, field });

type Meant = Pick<StoredSchedule, "action" | "backupId" | "targets">;

/** Targets of a schedule: VMs, or a backup. @throws {ContractError} InvalidInput for fields that do not go together */
function meantBy({ action, backupId, targets }: Meant): Meant {
  if (action !== "backup") return { action, targets };
  if (backupId === undefined) throw invalid("backupId", "the action backup needs the backup that runs");
  if (!isNoTarget(targets)) {
    throw invalid(
      "targets",
      "a backup has VMs of its own: leave out VMs, tags and groups, or change the backup",
    );
  }
  return { action, backupId, targets };
}

/** @throws {ContractError} InvalidInput for what is meant for no VM at all @param hidden targets that stay whatever is given */
function targetsOf(
  { vmIds = [], tags = [], groups = [] }: NonNullable<Input<"create_schedule">["targets"]>,
  action: Schedule["action"],
  hidden: Named = NO_TARGETS,
): Targets {
  const targets = joinTargets({ vmIds, tags, groups }, hidden);
  if (action === "backup" || !isNoTarget(targets)) return targets;
  throw invalid("targets", "targets must name at least one VM, tag or group");
}

/** The fields of a change that say when; the others of the schedule stay where the frequency does. */
function changedTiming(before: StoredSchedule, change: Input<"update_schedule">): TimingFields | undefined {
  const { frequency, at, time, weekdays, monthDay, cron, timeZone } = change;
  const given = { frequency, at, time, weekdays, monthDay, cron, timeZone };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return Object.keys(own).length === 0 ? undefined : { ...before.timing, ...own };
}

/** A handler for each of them. */
export function scheduleHandlers(context: ScheduleContext): Pick<Handlers, keyof typeof scheduleCommands> {
  const { records, scheduler, clock, vmsOf, requireBackup } = context;
  const shown = (schedule: StoredSchedule) => scheduleView(context, schedule);
  const find = (scheduleId: string): StoredSchedule => {
    records.require();
    const found = records.get(scheduleId);
    if (!found) throw new ContractError("ScheduleNotFound", { scheduleId });
    return found;
  };
  const requireFree = (name: string, but?: string) => {
    const isTaken = records.all().some((each) => each.name === name && each.id !== but);
    if (isTaken) throw new ContractError("ScheduleExists", { name });
  };
  /** VMs that are named must be there, as far as who names them sees. */
  const requireVms = (vmIds: readonly string[], seen: readonly VM[]) => {
    const known = new Set(seen.map(({ id }) => id));
    const vmId = vmIds.find((id) => !known.has(id));
    if (vmId !== undefined) throw new ContractError("VmNotFound", { vmId });
  };
  return {
    list_schedules: () => scheduleViews(context),
    get_schedule: ({ scheduleId }) => shown(find(scheduleId)),
    preview_schedule: (fields) => {
      const now = clock.now(), timing = timingOf(fields, now, hostZone());
      return { timeZone: timing.timeZone, next: nextRuns(timing, now, NEXT_RUNS) };
    },
    get_schedule_history: ({ scheduleId, limit = 20 }) => records.history(find(scheduleId).id, limit),
    create_schedule: async (input, { principal }) => {
      const { name, action, deadlineSeconds = 120, force = false, keep = 7 } = input;
      const { missed = "skip", enabled = true } = input;
      const now = clock.now();
      const schedule: StoredSchedule = {
        id: crypto.randomUUID(),
        name,
        enabled,
        deadlineSeconds,
        force,
        keep,
        missed,
        ...meantBy({
          action,
          targets: targetsOf(input.targets ?? NO_TARGETS, action),
          ...(input.backupId !== undefined && { backupId: input.backupId }),
        }),
        timing: timingOf(input, now, hostZone()),
        owner: delegatorOf(principal),
        createdAt: now,
        handled: now,
      };
      if (schedule.targets.vmIds.length > 0) requireVms(schedule.targets.vmIds, await vmsOf(principal));
      if (schedule.backupId !== undefined) await requireBackup(principal, schedule.backupId);
      records.require();
      requireFree(name);
      if (records.all().length >= MOST_SCHEDULES) {
        throw new ContractError("TooManySchedules", { limit: MOST_SCHEDULES });
      }
      records.put(schedule);
      return shown(schedule);
    },
    update_schedule: async (change, { principal }) => {
      const { scheduleId, name, deadlineSeconds, force, keep, missed, enabled } = change;
      const first = find(scheduleId), owner = delegatorOf(principal), now = clock.now();
      const timingFields = changedTiming(first, change);
      const timing = timingFields && timingOf(timingFields, now, hostZone());
      const seen = change.targets && await vmsOf(principal);
      if (change.backupId !== undefined) await requireBackup(principal, change.backupId);
      const before = find(scheduleId); // looking these up takes a while
      const { action = before.action } = change;
      const hidden = hiddenTargets(before.targets, principal, seen ?? []);
      // The VMs of before stay where the schedule is for VMs again.
      const targets = action === "backup"
        ? targetsOf(change.targets ?? NO_TARGETS, action)
        : targetsOf(change.targets ?? before.targets, action, change.targets && hidden);
      const backupId = change.backupId ?? (action === "backup" ? before.backupId : undefined);
      if (seen !== undefined) {
        // VMs that are gone may stay; one out of sight is answered as one that is not there.
        const stays = (vmId: string) => before.targets.vmIds.includes(vmId) && !hidden.vmIds.includes(vmId);
        requireVms((change.targets?.vmIds ?? []).filter((vmId) => !stays(vmId)), seen);
      }
      if (name !== undefined) requireFree(name, scheduleId);
      const { backupId: _other, ...stays } = before;
      const schedule: StoredSchedule = {
        ...stays,
        ...meantBy({ action, targets, ...(backupId !== undefined && { backupId }) }),
        ...(name !== undefined && { name }),
        ...(timing !== undefined && { timing }),
        ...(deadlineSeconds !== undefined && { deadlineSeconds }),
        ...(force !== undefined && { force }),
        ...(keep !== undefined && { keep }),
        ...(missed !== undefined && { missed }),
        ...(enabled !== undefined && { enabled }),
        owner,
      };
      const begins = timing !== undefined || (schedule.enabled && !before.enabled);
      // What is saved once more is meant as it is now
      const { covered: _covered, leftOut: _leftOut, ...saved } = schedule;
      const kept = change.targets === undefined ? schedule : saved;
      records.put(begins ? { ...kept, handled: now } : kept);
      return shown(find(scheduleId));
    },
    enable_schedule: ({ scheduleId, enabled }, { principal }) => {
      const before = find(scheduleId);
      if (before.enabled !== enabled) {
        const begun = enabled ? { owner: delegatorOf(principal), handled: clock.now() } : {};
        records.put({ ...before, enabled, ...begun });
      }
      return shown(find(scheduleId));
    },
    run_schedule_now: ({ scheduleId }, { principal }) => scheduler.runNow(find(scheduleId), principal),
    delete_schedule: ({ scheduleId }) => {
      records.remove(find(scheduleId).id);
      return null;
    },
  };
}
