import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField } from "../kit/Field.tsx";
import { ActionPanel } from "./ActionPanel.tsx";
import type { ScheduleFormProps } from "./schedule_form_props.ts";
import { TargetsPanel } from "./TargetsPanel.tsx";
import { TimesPanel } from "./TimesPanel.tsx";

const { t } = textsOf(texts);

/** The fields of a schedule. Those of other frequencies are out of sight (`schedules.css`), and count for nothing. */
export function ScheduleForm(
  { action, here, values, vms, backups, zones, preview, hasHidden = false, errorAt, submit }:
    ScheduleFormProps,
) {
  return (
    <form class="schedule-form" method="post" action={action}>
      <ActionPanel values={values} backups={backups} errorAt={errorAt} />
      <TargetsPanel values={values} vms={vms} hasHidden={hasHidden} errorAt={errorAt} />
      <TimesPanel values={values} zones={zones} preview={preview} here={here} errorAt={errorAt} />
      <div class="form-actions schedule-actions">
        <input type="hidden" name="enabled" value="no" />
        <CheckField
          label={t("schedules.enabled")}
          name="enabled"
          value="yes"
          defaultChecked={(values.enabled ?? "yes") === "yes"}
        />
        <span class="grow text-muted">{t("schedules.runs_as")}</span>
        <a class="button" href="/schedules">{t("schedules.cancel")}</a>
        <button type="submit" class="button primary">{submit}</button>
      </div>
    </form>
  );
}
