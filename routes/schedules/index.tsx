import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Empty } from "../../components/kit/Empty.tsx";
import ScheduleList from "../../islands/ScheduleList.tsx";
import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ list: await state.api.listSchedules().catch(fail), now: Date.now() });
  },
});

/** The list of schedules. */
export default define.page<typeof handler>(function Schedules({ data: { list, now }, state }) {
  const mayCreate = state.may("create_schedule");
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.schedules") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("schedules.title")}</h1>
        {mayCreate && (
          <span class="actions">
            <a class="button primary" href="/schedules/new">{area.t("schedules.new")}</a>
          </span>
        )}
      </header>
      {list.length > 0
        ? <ScheduleList list={list} now={now} />
        : (
          <Empty icon="calendar" title={area.t("schedules.empty")}>
            <p>{area.t("schedules.empty_what")}</p>
            {mayCreate && <a class="button primary" href="/schedules/new">{area.t("schedules.new")}</a>}
          </Empty>
        )}
    </>
  );
});
