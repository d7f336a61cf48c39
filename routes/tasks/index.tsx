import { page } from "fresh";
import { Head } from "fresh/runtime";
import JobList from "../../islands/JobList.tsx";
import { t } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

/** Tasks that are listed: those of one account, of which 200 are kept, leave room for the others'. */
const SHOWN = 500;

export const handler = define.handlers({
  async GET(ctx) {
    return page({ list: await ctx.state.api.listJobs({ limit: SHOWN }).catch(fail) });
  },
});

/** Long work: what runs, and what has run. */
export default define.page<typeof handler>(function Tasks({ data: { list } }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("tasks.open") })}</title>
      </Head>
      <h1>{t("tasks.open")}</h1>
      <div class="panel tasks-page">
        <JobList list={list} />
      </div>
    </>
  );
});
