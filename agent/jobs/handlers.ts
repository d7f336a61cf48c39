/** The commands on jobs. */
import { seesJob, type StoredJob } from "../../lib/access/filter_output.ts";
import { isOpenJob, type Job } from "../../lib/contract/jobs.ts";
import { ContractError, type jobCommands } from "../../lib/contract/mod.ts";
import { type AccessWorld, authorise, viewerOf } from "../access/authorise.ts";
import { type Handlers, isCommand } from "../dispatch.ts";
import type { Principal } from "../access.ts";
import type { Jobs } from "./jobs.ts";

/** A handler for each of them. @param linkedJobs those of linked hosts */
export function jobHandlers(
  jobs: Jobs,
  world: AccessWorld,
  linkedJobs: () => readonly Job[] = () => [],
): Pick<Handlers, keyof typeof jobCommands> {
  const seenBy = (principal: Principal) => {
    const viewer = viewerOf(principal, world);
    return (job: StoredJob) => seesJob(viewer, job);
  };
  const visible = (jobId: string, principal: Principal) => {
    const found = jobs.get(jobId);
    if (!seenBy(principal)(found.job)) {
      throw new ContractError("JobNotFound", { jobId });
    }
    return found;
  };
  return {
    // Cut to its length once it is filtered: jobs out of sight take no place in it.
    list_jobs: ({ limit = 50, open }, { principal }) => {
      const own = jobs.list(limit, open, seenBy(principal));
      if (principal.via === "link") return own;
      const further = linkedJobs().filter((job) => (!open || isOpenJob(job)) && seenBy(principal)(job));
      return further.length === 0
        ? own
        : [...own, ...further].toSorted((a, b) =>
          Number(isOpenJob(b)) - Number(isOpenJob(a)) || b.startedAt - a.startedAt
        ).slice(0, limit);
    },
    get_job: ({ jobId }, { principal }) => visible(jobId, principal),
    cancel_job: ({ jobId }, { principal }) => {
      const { command, host, vmId } = visible(jobId, principal).job;
      // Who may not do a thing may not undo it.
      if (isCommand(command)) {
        authorise(principal, command, vmId === undefined ? { ...(host && { host }) } : { vmId }, world);
      }
      jobs.cancel(jobId, principal.name);
      return null;
    },
  };
}
