/** What is done to VMs at set times. */
import type { scheduleCommands } from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import { feature } from "../feature.ts";
import { scheduleHandlers } from "./handlers.ts";
import { SCHEDULE_MIGRATIONS, ScheduleRecords } from "./records.ts";
import { Scheduler } from "./scheduler.ts";

export const scheduleFeature = feature<keyof typeof scheduleCommands>({
  name: "schedules",
  migrations: SCHEDULE_MIGRATIONS,
  open: (app) => {
    const { store, clock, jobs, hosts } = app;
    const records = new ScheduleRecords(store);
    const scheduler = new Scheduler(records, {
      clock,
      jobs,
      apiFor: (principal) => app.apiFor(principal),
      ownerOf: ({ id, owner }) => delegateFor(app, owner, `schedule:${id}`),
      stateOf: (vmId) => hosts.vm(vmId)?.state,
      isReady: () => hosts.local.link.status.connected && hosts.local.inventory.filled,
    });
    return {
      handlers: scheduleHandlers({
        records,
        scheduler,
        clock,
        vmsOf: (principal) => app.apiFor(principal).getVms(),
        requireBackup: async (principal, backupId) =>
          void await app.apiFor(principal).getBackup({ backupId }),
      }),
      periodic: [{ name: "schedules", every: () => scheduler.wait, run: (signal) => scheduler.tick(signal) }],
      stop: () => scheduler.stop(),
    };
  },
});
