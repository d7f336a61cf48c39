/** Schedules of a VM that moves to another host: those that name it go along. */
import type { Api } from "../../lib/contract/api.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { isNoTarget } from "../../lib/access/redact.ts";
import { coverName, withoutVm } from "../../lib/coverage/coverage.ts";
import type { Portable } from "../feature_part.ts";
import type { ScheduleRecords, StoredSchedule } from "./records.ts";

/** Characters of a name. */
const LONGEST = 100;

/** Takes a VM out of a schedule, which is switched off where it names nothing any more. @throws {ContractError} StoreUnavailable */
export function releaseScheduledVm(records: ScheduleRecords, schedule: StoredSchedule, vmId: string): void {
  const targets = withoutVm(schedule.targets, vmId);
  records.put({ ...schedule, targets, enabled: schedule.enabled && !isNoTarget(targets) });
}

const isExists = (error: unknown) => error instanceof ContractError && error.code === "ScheduleExists";

/** Makes a schedule there, for this VM alone. One of the same name that names nothing is what an earlier move left: it is used again. */
async function put(
  there: Api,
  { name, action, timing, deadlineSeconds, force, keep, missed, enabled }: StoredSchedule,
  vm: VM,
): Promise<void> {
  const when = timing.frequency === "weekly" ? { ...timing, weekdays: [...timing.weekdays] } : timing;
  const settings = {
    action,
    ...when,
    deadlineSeconds,
    force,
    keep,
    missed,
    enabled,
    targets: { vmIds: [vm.id] },
  };
  const same = (await there.listSchedules()).find((each) => each.name === name);
  if (same !== undefined && !same.enabled && !same.targets.hidden && isNoTarget(same.targets)) {
    await there.updateSchedule({ scheduleId: same.id, ...settings });
    return;
  }
  try {
    await there.createSchedule({ name, ...settings });
  } catch (error) {
    if (!isExists(error)) throw error;
    const suffix = ` (${vm.name})`.slice(0, LONGEST - 1);
    await there.createSchedule({
      name: name.slice(0, LONGEST - suffix.length).trimEnd() + suffix,
      ...settings,
    });
  }
}

/** Those that name the VM by its id. One that backs up has VMs of its own. */
export const portableSchedules = (records: ScheduleRecords, vm: VM): Portable[] =>
  records.all().filter(({ action, targets: { vmIds } }) => action !== "backup" && vmIds.includes(vm.id)).map(
    (schedule) => ({
      name: coverName({ kind: "schedule", name: schedule.name, targets: schedule.targets }),
      needs: "update_schedule",
      put: (there) => put(there, schedule, vm),
      release: () => {
        const now = records.get(schedule.id);
        if (now !== undefined) releaseScheduledVm(records, now, vm.id);
      },
    }),
  );
