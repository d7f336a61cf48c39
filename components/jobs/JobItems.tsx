import type { Job } from "../../lib/contract/mod.ts";
import { jobs as texts } from "../../lib/i18n/en/jobs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { JobItem } from "./JobItem.tsx";

const { t } = textsOf(texts);

/** Long work, or what the list is for. */
export function JobItems({ list }: { list: readonly Job[] }) {
  if (list.length === 0) {
    return (
      <div class="job-none">
        <p>{t("jobs.empty")}</p>
        <p class="text-muted">{t("jobs.empty_what")}</p>
      </div>
    );
  }
  return (
    <ul class="jobs" aria-label={t("jobs.list")}>
      {list.map((job) => <JobItem key={job.id} job={job} />)}
    </ul>
  );
}
