/** The commands on jobs. */
import { type Command, COMMANDS, type jobCommands } from "../../lib/contract/mod.ts";
import { authorise } from "../access.ts";
import { type Handlers, isCommand } from "../dispatch.ts";
import type { Jobs } from "./jobs.ts";

/** A handler for each of them. */
export function jobHandlers(jobs: Jobs): Pick<Handlers, keyof typeof jobCommands> {
  return {
    list_jobs: ({ limit = 50, open }) => jobs.list(limit, open),
    get_job: ({ jobId }) => jobs.get(jobId),
    cancel_job: ({ jobId }, { principal }) => {
      const { command } = jobs.get(jobId).job;
      // Who may not do a thing may not undo it.
      if (isCommand(command)) authorise(principal, (COMMANDS[command] as Command).role);
      jobs.cancel(jobId, principal.name);
      return null;
    },
  };
}
