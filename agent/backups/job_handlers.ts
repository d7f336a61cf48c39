/** The commands on backup jobs. */
import { ContractError, type Input, MOST_BACKUPS } from "../../lib/contract/mod.ts";
import { daysOf } from "../../lib/backup/calendar.ts";
import { timingOf } from "../../lib/schedules/read_timing.ts";
import type { Timing, TimingFields } from "../../lib/schedules/timing.ts";
import { delegatorOf } from "../access/delegation.ts";
import { hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import type { StoredBackup } from "./records.ts";
import { targetsOf } from "./runs.ts";
import { backupViews } from "./views.ts";
import type { BackupContext, BackupLookup } from "./lookup.ts";

/** The fields that say when; undefined where none was given. */
function timingIn(
  { frequency, at, time, weekdays, monthDay, cron, timeZone }: Omit<Input<"update_backup">, "backupId">,
):
  | Partial<Omit<TimingFields, "frequency">> & { frequency?: TimingFields["frequency"] | "by-hand" }
  | undefined {
  const given = Object.entries({ frequency, at, time, weekdays, monthDay, cron, timeZone })
    .filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** When it runs by itself, of what is given and what it was. @throws {ContractError} InvalidInput */
function timingFor(
  given: ReturnType<typeof timingIn>,
  before: Timing | null,
  now: number,
): Timing | null {
  if (given === undefined) return before;
  const { frequency = before?.frequency ?? "by-hand", ...rest } = given;
  if (frequency === "by-hand") return null;
  return timingOf({ ...before, ...rest, frequency }, now, hostZone());
}

/** Text on copies that are not in the backup's present folder. */
const leftBehindText = (copies: number, folder: string): string =>
  `${copies === 1 ? "Its copy stays" : `Its ${copies} copies stay`} in ${folder} and ${
    copies === 1 ? "is" : "are"
  } no longer listed here; the next run reads everything, and nothing is deleted there any more. ` +
  `To see and restore what is there, let the backup job go to ${folder} again.`;

/** Makes jobs. */
function createHandler(
  { records, clock }: BackupContext,
  { shown, requireFree, requireVms, placeIn }: BackupLookup,
): Pick<Handlers, "create_backup"> {
  return {
    create_backup: async (input, { principal }) => {
      const { name, keep = 7, keepDaily = 0, keepWeekly = 0, keepMonthly = 0, keepYearly = 0 } = input;
      const { missed = "run-once", enabled = true, maxMibPerSecond = 0, parallel = 1 } = input;
      const { bootTest = "never" } = input;
      const now = clock.now();
      const vms = targetsOf(input.targets), timing = timingFor(timingIn(input), null, now);
      const owner = delegatorOf(principal);
      await requireVms(vms, principal);
      records.require();
      requireFree(name);
      if (records.all().length >= MOST_BACKUPS) {
        throw new ContractError("TooManyBackups", { limit: MOST_BACKUPS });
      }
      const place = await placeIn(input);
      if (place === undefined) {
        throw new ContractError("InvalidInput", {
          reason: "folder or backupTargetId is needed",
          field: "folder",
        });
      }
      requireFree(name);
      const backup: StoredBackup = {
        id: crypto.randomUUID(),
        name,
        enabled,
        targets: vms,
        ...place,
        timing,
        missed,
        owner,
        bootTest,
        maxMibPerSecond,
        parallel,
        keep,
        keepDaily,
        keepWeekly,
        keepMonthly,
        keepYearly,
        createdAt: now,
        handled: now,
      };
      records.put(backup);
      return shown(backup);
    },
  };
}

/** Changes jobs. */
function updateHandler(
  { records, history, clock }: BackupContext,
  { find, shown, requireFree, requireIdle, requireVms, placeIn }: BackupLookup,
): Pick<Handlers, "update_backup"> {
  return {
    update_backup: async (change, { principal }) => {
      const { backupId, name, keep, keepDaily, keepWeekly, keepMonthly, keepYearly, missed, enabled } =
        change;
      const first = find(backupId), owner = delegatorOf(principal), now = clock.now();
      requireIdle(first);
      const vms = change.targets && targetsOf(change.targets);
      if (vms !== undefined) await requireVms(vms, principal);
      const timing = timingFor(timingIn(change), first.timing, now);
      const place = await placeIn(change);
      const copies = place === undefined || place.repository === first.repository
        ? 0
        : await history.leftBehind(first, { ...first, ...place });
      // Nothing is waited for from here on: what others change meanwhile, or a run that begins, would be undone.
      const before = find(backupId);
      requireIdle(before);
      if (name !== undefined) requireFree(name, backupId);
      const given = Object.entries({
        name,
        targets: vms,
        keep,
        keepDaily,
        keepWeekly,
        keepMonthly,
        keepYearly,
        missed,
        enabled,
        maxMibPerSecond: change.maxMibPerSecond,
        parallel: change.parallel,
        bootTest: change.bootTest,
      }).filter(([, value]) => value !== undefined);
      const isNewTime = timingIn(change) !== undefined || (enabled === true && !before.enabled);
      const after: StoredBackup = {
        ...before,
        ...Object.fromEntries(given),
        ...place,
        timing,
        owner,
        handled: isNewTime ? now : before.handled,
        // What is saved once more is meant as it is now
        ...(vms !== undefined && { covered: [], leftOut: [] }),
      };
      records.put(after);
      return {
        ...shown(after),
        warnings: copies === 0 ? [] : [leftBehindText(copies, shown(before).folder)],
      };
    },
  };
}

/** A handler for each command on jobs. */
export function backupJobHandlers(context: BackupContext, lookup: BackupLookup) {
  const { records, runs, history, clock, host, open } = context, { find, shown, requireIdle } = lookup;
  return {
    ...createHandler(context, lookup),
    ...updateHandler(context, lookup),
    list_backups: () => backupViews(context),
    get_backup: ({ backupId }) => shown(find(backupId)),
    list_backup_runs: ({ backupId, limit = 50, ...which }) => history.list(find(backupId), limit, which),
    list_backup_days: async ({ backupId }) => {
      const backup = find(backupId), { timeZone } = backup.timing ?? { timeZone: hostZone() };
      return daysOf(await history.list(backup), timeZone, clock.now());
    },
    enable_backup: ({ backupId, enabled }, { principal }) => {
      const before = find(backupId);
      const since = enabled && !before.enabled ? { owner: delegatorOf(principal), handled: clock.now() } : {};
      const after = { ...before, enabled, ...since };
      records.put(after);
      return shown(after);
    },
    delete_backup: async ({ backupId }) => {
      const backup = find(backupId);
      requireIdle(backup);
      const users = records.usersOf(backup.id);
      if (users.length > 0) {
        throw new ContractError("BackupInUse", { name: backup.name, users: users.join(", ") });
      }
      const vmIds = new Set(
        records.runs(backup.id).flatMap(({ copies }) => copies.map(({ vmId }) => vmId)),
      );
      records.remove(backup.id);
      // Nothing reads any more what QEMU notes for it.
      for (const vmId of vmIds) {
        const vm = host().inventory.vm(vmId);
        if (vm !== undefined) await dropQuietly(host(), vm, (each) => each.backupId === backup.id);
      }
      return null;
    },
    run_backup_now: async ({ backupId, full = false }, { principal }) => {
      const backup = find(backupId);
      if (!runs.isRunning(backupId)) await (await open(backup)).store.close();
      return runs.begin(find(backupId), principal.name, full);
    },
  } satisfies Partial<Handlers>;
}
