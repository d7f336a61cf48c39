import { useEffect } from "preact/hooks";
import { useHydrated } from "../lib/client/use_hydrated.ts";
import { jobLink } from "../components/jobs/job_link.ts";
import { JobItem } from "../components/jobs/JobItem.tsx";
import { pageJobs } from "../lib/client/jobs.ts";
import type { Job, JobLine } from "../lib/contract/mod.ts";
import { jobs as texts } from "../lib/i18n/en/jobs.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link JobPage}. */
export interface JobPageProps {
  job: Job;
  log: readonly JobLine[];
  /** The VM that it is about is known to be gone. */
  isVmGone: boolean;
}

/** One piece of long work with its log, and where it leads once it is over: what it was rendered with, then live. */
export default function JobPage({ job, log, isVmGone }: JobPageProps) {
  useEffect(() => pageJobs.seed([job]), []);
  const live = useHydrated() ? pageJobs.list.value.find(({ id }) => id === job.id) : undefined;
  const now = live ?? job;
  // What was known when the page was rendered says nothing of a task that went on
  const link = jobLink(now, isVmGone && job.state === "done");
  return (
    <>
      <ul class="jobs">
        <JobItem job={now} log={log} />
      </ul>
      {link !== undefined && (
        <p class="pad">
          <a class="button" href={link.href}>{t(link.text)}</a>
        </p>
      )}
    </>
  );
}
