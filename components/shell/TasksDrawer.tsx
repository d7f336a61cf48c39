import { pageJobs } from "../../lib/client/jobs.ts";
import { jobs as texts } from "../../lib/i18n/en/jobs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Dialog } from "../kit/Dialog.tsx";
import { JobItems } from "../jobs/JobItems.tsx";

const { t } = textsOf(texts);

/** Props of {@link TasksDrawer}. */
export interface TasksDrawerProps {
  onClose: () => void;
}

/** Long work at the side of the page. Loaded when it is opened for the first time. */
export function TasksDrawer({ onClose }: TasksDrawerProps) {
  return (
    <Dialog open title={t("jobs.title")} onClose={onClose} class="drawer">
      <div class="dialog-body" tabIndex={0} role="region" aria-label={t("jobs.title")}>
        <JobItems list={pageJobs.list.value} />
      </div>
    </Dialog>
  );
}
