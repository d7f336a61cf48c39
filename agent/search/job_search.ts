/** The tasks of all hosts, as one. */
import { isOpenJob, type Job, MOST_JOBS } from "../../lib/contract/jobs.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { isBehind, type ListedRow, type ListPart, type ListPlace } from "../../lib/search/merged.ts";
import type { Dispatch, Handlers } from "../dispatch.ts";
import { LONGEST_JOB } from "../hosts/linked/host_cache.ts";
import { partOf, searchHosts, type SearchServices } from "./hosts_asked.ts";

type Wanted = Pick<Input<"search_jobs">, "text" | "state">;

const listed = (job: Job): ListedRow<Job> => ({
  row: job,
  at: job.startedAt,
  place: { number: job.startedAt, text: job.id.slice(0, 64) },
});

/** Whether a task is wanted, by what is shown of it. */
function isWanted(job: Job, { text = "", state }: Wanted): boolean {
  const isState = state === undefined || (state === "open" ? isOpenJob(job) : job.state === state);
  const { title, command, actor, subject = "", error } = job;
  const shown = [title, command, actor, subject, error?.message ?? ""].join(" ").toLowerCase();
  return isState && shown.includes(text.trim().toLowerCase());
}

/** The tasks of one host that are wanted and behind a place, newest first. */
function page(
  jobs: readonly Job[],
  wanted: Wanted,
  place: ListPlace | undefined,
  limit: number,
): ListPart<Job> {
  const rows = jobs.filter((job) => isWanted(job, wanted)).map(listed)
    .filter((each) => place === undefined || isBehind(each.place, place))
    .toSorted((a, b) => isBehind(a.place, b.place) ? 1 : -1);
  return partOf(rows, limit);
}

/**
 * The handler.
 *
 * @param app its dispatch lists this KVM Manager's own tasks as who asks sees them: texts are searched as they are shown
 */
export function jobSearch(
  app: SearchServices & { readonly dispatch: Dispatch },
): Pick<Handlers, "search_jobs"> {
  return {
    search_jobs: async ({ host, cursor, limit = 100, ...wanted }, context) => {
      const { rows, ...found } = await searchHosts<Job>(
        app,
        { limit, ...(host !== undefined && { host }), ...(cursor !== undefined && { cursor }) },
        context,
        {
          own: async (place, on) => {
            const all = await app.dispatch("list_jobs", { limit: MOST_JOBS }, context.principal) as Job[];
            const own = all.filter((job) =>
              (job.host === undefined || app.linked.served(job.host) === undefined) &&
              (on === undefined || app.places.hostOf(job.host === undefined ? {} : { host: job.host }) === on)
            );
            return page(own, wanted, place, limit);
          },
          far: async (ask, { id }, place) => {
            const all = await ask("list_jobs", { limit: MOST_JOBS });
            // Those of a host that is linked to that one, or read by it, are not listed twice
            const own = all.slice(0, MOST_JOBS)
              .filter((job) => job.host === undefined && JSON.stringify(job).length <= LONGEST_JOB)
              .map((job) => ({ ...job, host: id }));
            return page(own, wanted, place, limit);
          },
        },
      );
      return { jobs: [...rows], ...found };
    },
  };
}
