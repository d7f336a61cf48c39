import { page } from "fresh";
import { Head } from "fresh/runtime";
import JobPage from "../../islands/JobPage.tsx";
import { t } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const { api } = ctx.state;
    const told = await api.getJob({ jobId: ctx.params.id! }).catch(fail);
    ctx.state.subject = told.job.title;
    const { vmId } = told.job;
    const isVmGone = vmId !== undefined &&
      !(await api.getVms().catch(unlessAway) ?? []).some(({ id }) => id === vmId);
    return page({ ...told, isVmGone });
  },
});

/** One piece of long work, with what it wrote down. */
export default define.page<typeof handler>(function Task({ data: { job, log, isVmGone } }) {
  const title = oneLine(job.title, 100);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <h1>{title}</h1>
      {job.subject !== undefined && <p class="mono wrap">{oneLine(job.subject, 200)}</p>}
      <div class="panel tasks-page">
        <JobPage job={job} log={log} isVmGone={isVmGone} />
      </div>
    </>
  );
});
