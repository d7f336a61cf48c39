/** Actions on VMs at set times. */
import type { scheduleCommands } from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import { feature } from "../feature.ts";
import { leftOutNow } from "../coverage/coverage.ts";
import { scheduleHandlers } from "./handlers.ts";
import { isCovered } from "../../lib/coverage/coverage.ts";
import { SCHEDULE_MIGRATIONS, ScheduleRecords, type StoredSchedule } from "./records.ts";
import { portableSchedules, releaseScheduledVm } from "./portable.ts";
import { Scheduler } from "./scheduler.ts";
import { scheduleViews } from "./views.ts";

export const scheduleFeature = feature<keyof typeof scheduleCommands>({
  name: "schedules",
  migrations: SCHEDULE_MIGRATIONS,
  open: (app) => {
    const { store, clock, jobs, hosts, coverage } = app;
    const records = new ScheduleRecords(store);
    const ownerOf = ({ id, owner }: StoredSchedule) => delegateFor(app, owner, `schedule:${id}`);
    /** Why it cannot run as who it runs as; undefined where it can, and while that is not known. */
    const ownerLost = (schedule: StoredSchedule) => {
      if (!app.access.accounts.records.isLoaded) return undefined;
      const owner = ownerOf(schedule);
      return typeof owner === "string" ? owner : undefined;
    };
    app.backups.addUsers((backupId) =>
      records.all().filter((schedule) => schedule.backupId === backupId).map(({ name }) =>
        `the schedule ${name}`
      )
    );
    const leftOut = (schedule: StoredSchedule) => leftOutNow(schedule, hosts.vms());
    coverage.add(() =>
      records.all().filter(({ enabled }) => enabled).map((schedule) => {
        const fault = ownerLost(schedule);
        return {
          kind: "schedule",
          name: schedule.name,
          targets: schedule.targets,
          leftOut: leftOut(schedule),
          ...(fault !== undefined && { fault: `${schedule.owner.name}: ${fault}` }),
        };
      })
    );
    /** The hosts whose VMs it is about; the local one where that is not known, and for what backs up. */
    const hostsOf = ({ action, targets }: StoredSchedule) => {
      const meant = app.knownVms.present().filter((vm) => isCovered(targets, vm)).map(({ host }) => host);
      const found = action === "backup" ? [] : hosts.all().filter(({ id }) => meant.includes(id));
      return found.length === 0 ? [hosts.local] : found;
    };
    const scheduler = new Scheduler(records, {
      clock,
      jobs,
      apiFor: (principal) => app.apiFor(principal),
      ownerOf,
      stateOf: (vmId) => hosts.vm(vmId)?.state,
      nameOf: coverage.nameOf,
      vms: () => hosts.vms(),
      record: (entry) => void app.activity.record(entry),
      isReady: (schedule) =>
        hostsOf(schedule).every(({ link, inventory }) => link.status.connected && inventory.filled),
    });
    const sources = { records, scheduler, clock, coverage, ownerLost, leftOut };
    app.scheduleList.give(() => scheduleViews(sources));
    return {
      handlers: scheduleHandlers({
        ...sources,
        vmsOf: (principal) => app.apiFor(principal).getVms(),
        requireBackup: async (principal, backupId) =>
          void await app.apiFor(principal).getBackup({ backupId }),
      }),
      periodic: [{ name: "schedules", every: () => scheduler.wait, run: (signal) => scheduler.tick(signal) }],
      host: () => ({
        portable: (vm) => portableSchedules(records, vm),
        replaced: (vmId) =>
          records.all().filter(({ targets }) => targets.vmIds.includes(vmId)).map((schedule) => {
            releaseScheduledVm(records, schedule, vmId);
            return `the schedule ${schedule.name}`;
          }),
      }),
      stop: () => scheduler.stop(),
    };
  },
});
