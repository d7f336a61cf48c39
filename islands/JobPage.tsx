import { useEffect } from "preact/hooks";
import { useHydrated } from "../lib/client/use_hydrated.ts";
import { JobItem } from "../components/jobs/JobItem.tsx";
import { jobs } from "../lib/client/jobs.ts";
import type { Job, JobLine } from "../lib/contract/mod.ts";

/** One piece of long work with its log: what it was rendered with, then live. */
export default function JobPage({ job, log }: { job: Job; log: readonly JobLine[] }) {
  useEffect(() => jobs.seed([job]), []);
  const live = useHydrated() ? jobs.list.value.find(({ id }) => id === job.id) : undefined;
  return (
    <ul class="jobs">
      <JobItem job={live ?? job} log={log} />
    </ul>
  );
}
