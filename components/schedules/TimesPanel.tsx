import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { ScheduleFrequency, Weekday } from "../../lib/contract/mod.ts";
import { FREQUENCIES, weekdayName } from "../../lib/schedules/describe.ts";
import { tickedIn } from "../../lib/schedules/form_values.ts";
import { CheckboxGroup } from "../kit/CheckboxGroup.tsx";
import { FailureText } from "../kit/FailureText.tsx";
import { SelectField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { NextRuns } from "./NextRuns.tsx";
import type { ScheduleFormProps } from "./schedule_form_props.ts";

const { t } = textsOf(texts);

const WEEKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

type FieldProps = Pick<ScheduleFormProps, "values" | "errorAt">;

/** The moment, of each frequency. */
function MomentFields({ values, errorAt }: FieldProps) {
  return (
    <>
      <div class="of-once">
        <TextField
          label={t("schedules.at")}
          name="at"
          type="datetime-local"
          defaultValue={values.at ?? ""}
          error={errorAt("at")}
        />
      </div>
      <div class="of-daily of-weekly of-monthly">
        <TextField
          label={t("schedules.time")}
          name="time"
          type="time"
          defaultValue={values.time ?? "22:00"}
          error={errorAt("time")}
        />
      </div>
      <div class="of-monthly">
        <TextField
          label={t("schedules.month_day")}
          hint={t("schedules.month_day_hint")}
          name="monthDay"
          type="number"
          min={1}
          max={31}
          defaultValue={values.monthDay ?? "1"}
          error={errorAt("monthDay")}
        />
      </div>
      <div class="of-cron">
        <TextField
          label={t("schedules.cron_label")}
          hint={t("schedules.cron_hint")}
          name="cron"
          maxLength={100}
          defaultValue={values.cron ?? "30 3 * * 1-5"}
          error={errorAt("cron")}
        />
      </div>
    </>
  );
}

function WeekdayFields({ values, errorAt }: FieldProps) {
  return (
    <>
      <CheckboxGroup
        class="of-weekly"
        legend={t("schedules.weekdays")}
        name="weekdays"
        rows={WEEKDAYS.map((day) => ({ value: day, label: weekdayName(day) }))}
        ticked={tickedIn(values, "weekdays")}
      />
      {errorAt("weekdays") !== undefined && (
        <p class="form-error form-field wide of-weekly">{errorAt("weekdays")}</p>
      )}
    </>
  );
}

/** When it would run, asked for without saving. */
function SchedulePreview({ preview, here, frequency }: Pick<ScheduleFormProps, "preview" | "here"> & {
  frequency: ScheduleFrequency;
}) {
  return (
    <div class="schedule-preview" id="preview">
      <h3>{t("schedules.preview_title")}</h3>
      <div class="preview-of" data-frequency={frequency}>
        {preview.failure === null
          ? <NextRuns next={preview.next} timeZone={preview.timeZone} />
          : <FailureText failure={preview.failure} />}
      </div>
      <button type="submit" class="button" formMethod="get" formAction={`${here}#preview`} formNoValidate>
        {t("schedules.preview")}
      </button>
    </div>
  );
}

/** When a schedule runs. Fields of other frequencies are out of sight (`schedules.css`). */
export function TimesPanel(
  { values, zones, preview, here, errorAt }: Pick<
    ScheduleFormProps,
    "values" | "zones" | "preview" | "here" | "errorAt"
  >,
) {
  const frequency = (values.frequency ?? "daily") as ScheduleFrequency;
  return (
    <Panel title={t("schedules.form_when")}>
      <div class="form-grid">
        <SelectField
          label={t("schedules.frequency")}
          name="frequency"
          value={frequency}
          choices={Object.entries(FREQUENCIES).map(([value, word]) => ({ value, label: t(word) }))}
        />
        <MomentFields values={values} errorAt={errorAt} />
        <TextField
          label={t("schedules.zone")}
          name="timeZone"
          list="time-zones"
          maxLength={64}
          defaultValue={values.timeZone ?? preview.timeZone}
          error={errorAt("timeZone")}
        />
        <datalist id="time-zones">
          {zones.map((zone) => <option key={zone} value={zone} />)}
        </datalist>
        <SelectField
          label={t("schedules.missed")}
          hint={t("schedules.missed_hint")}
          name="missed"
          value={values.missed ?? "skip"}
          choices={[
            { value: "skip", label: t("schedules.missed.skip") },
            { value: "run-once", label: t("schedules.missed.run-once") },
          ]}
        />
        <WeekdayFields values={values} errorAt={errorAt} />
      </div>
      <SchedulePreview preview={preview} here={here} frequency={frequency} />
    </Panel>
  );
}
