/** Errors: schedules. */
import type { ErrorKind } from "./kind.ts";

export const SCHEDULE_ERRORS = {
  ScheduleNotFound: { text: "Schedule not found: {scheduleId}", status: 404, exit: 4 },
  ScheduleExists: { text: "Schedule name already exists: {name}", status: 409, exit: 5 },
  TooManySchedules: {
    text: "There are {limit} schedules already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  ScheduleOwnerLost: {
    text: "It runs as {name}, and {reason}. Somebody who may do this must save the schedule again.",
    status: 403,
    exit: 6,
  },
  ScheduleRunFailed: { text: "It failed for {failed} of {all} VMs. {first}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
