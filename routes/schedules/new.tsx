import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ScheduleForm } from "../../components/schedules/ScheduleForm.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt } from "../../lib/text/refused_form.ts";
import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { scheduleForm } from "../(_shared)/schedule.ts";

const area = textsOf(texts);
const HERE = "/schedules/new";
/** Initial values of a new schedule. */
const FIRST = { action: "stop", frequency: "daily", time: "22:00" } as const;

export const handler = define.handlers({
  async GET({ state, url }) {
    return page(await scheduleForm(state, url, FIRST));
  },
});

/** Making a schedule. */
export default define.page<typeof handler>(function NewSchedule({ data, state }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("schedules.new") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("schedules.new")}</h1>
      </header>
      <ScheduleForm
        {...data}
        action={formHref("create_schedule", {}, "/schedules", HERE)}
        here={HERE}
        errorAt={(field) => refusalAt(state.refused, "create_schedule", field)}
        submit={area.t("schedules.create")}
      />
    </>
  );
});
