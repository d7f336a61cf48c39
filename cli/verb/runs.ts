/** Runs of backups and schedules that the command line begins: where each is looked up until its job is known. */
import type { ExtrasTable } from "./extras.ts";

export const RUN_EXTRAS: ExtrasTable = {
  run_backup_now: {
    run: {
      command: "list_backup_runs",
      input: ({ backupId }, runId) => ({ backupId, runId }),
    },
  },
  run_schedule_now: {
    run: {
      command: "get_schedule_history",
      input: ({ scheduleId }) => ({ scheduleId }),
    },
  },
};
