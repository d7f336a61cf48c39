/** Errors: tasks. */
import type { ErrorKind } from "./kind.ts";

export const JOB_ERRORS = {
  JobNotFound: { text: "Job not found: {jobId}", status: 404, exit: 4 },
  JobOver: { text: "The job is over already ({state})", status: 409, exit: 5 },
  JobNotCancellable: {
    text: "This job cannot be cancelled any more: it is about to end",
    status: 409,
    exit: 5,
  },
  JobCancelled: { text: "The job was cancelled. What it had done was undone.", status: 409, exit: 5 },
  JobInterrupted: { text: "KVM Manager ended while this was running. {advice}", status: 409, exit: 5 },
} as const satisfies Record<string, ErrorKind>;
