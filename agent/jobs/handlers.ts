/** The commands on jobs. */
import { seesJob } from "../../lib/access/filter_output.ts";
import { ContractError, type jobCommands } from "../../lib/contract/mod.ts";
import { authorise, type FindVm } from "../access/authorise.ts";
import { type Handlers, isCommand } from "../dispatch.ts";
import type { Principal } from "../access.ts";
import type { Jobs } from "./jobs.ts";

/** A handler for each of them. @param vm looks a machine up */
export function jobHandlers(jobs: Jobs, vm: FindVm): Pick<Handlers, keyof typeof jobCommands> {
  const visible = (jobId: string, { rights, name }: Principal) => {
    const found = jobs.get(jobId);
    if (!seesJob({ rights, name, groupOf: (vmId) => vm(vmId)?.group }, found.job)) {
      throw new ContractError("JobNotFound", { jobId });
    }
    return found;
  };
  return {
    list_jobs: ({ limit = 50, open }) => jobs.list(limit, open),
    get_job: ({ jobId }, { principal }) => visible(jobId, principal),
    cancel_job: ({ jobId }, { principal }) => {
      const { command, vmId } = visible(jobId, principal).job;
      // Who may not do a thing may not undo it.
      if (isCommand(command)) authorise(principal, command, vmId === undefined ? {} : { vmId }, vm);
      jobs.cancel(jobId, principal.name);
      return null;
    },
  };
}
