import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ScheduleForm } from "../../../components/schedules/ScheduleForm.tsx";
import { scheduleValues } from "../../../lib/schedules/form_values.ts";
import { scheduleHref } from "../../../lib/schedules/describe.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { schedules as texts } from "../../../lib/i18n/en/schedules.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { scheduleForm } from "../../(_shared)/schedule.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, url, params }) {
    const schedule = await state.api.getSchedule({ scheduleId: params.id ?? "" }).catch(fail);
    state.subject = schedule.name;
    return page({ schedule, form: await scheduleForm(state, url, scheduleValues(schedule)) });
  },
});

/** Changing a schedule. */
export default define.page<typeof handler>(function EditSchedule({ data: { schedule, form }, state }) {
  const { id, name } = schedule, title = area.t("schedules.edit_title", { name: oneLine(name, 60) });
  const here = `${scheduleHref(id)}/edit`;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <ScheduleForm
        {...form}
        action={formHref("update_schedule", { scheduleId: id }, scheduleHref(id), here)}
        here={here}
        hasHidden={schedule.targets.hidden}
        errorAt={(field) => refusalAt(state.refused, "update_schedule", field)}
        submit={area.t("schedules.save")}
      />
    </>
  );
});
