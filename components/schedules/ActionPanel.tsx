import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { ACTION_WORDS } from "../../lib/schedules/describe.ts";
import { oneLine } from "../../lib/text/text.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import type { ScheduleFormProps } from "./schedule_form_props.ts";

const { t } = textsOf(texts);

/** Fields for a schedule's name and action. */
export function ActionPanel(
  { values, backups, errorAt }: Pick<ScheduleFormProps, "values" | "backups" | "errorAt">,
) {
  return (
    <Panel title={t("schedules.form_what")}>
      <div class="form-grid">
        <TextField
          label={t("schedules.name")}
          name="name"
          required
          maxLength={100}
          defaultValue={values.name ?? ""}
          error={errorAt("name")}
        />
        <SelectField
          label={t("schedules.what")}
          name="action"
          value={values.action ?? "stop"}
          choices={Object.entries(ACTION_WORDS).map(([value, word]) => ({ value, label: t(word) }))}
        />
        <div class="of-snapshot form-pair">
          <TextField
            label={t("schedules.keep")}
            hint={t("schedules.keep_hint")}
            name="keep"
            type="number"
            min={1}
            max={100}
            defaultValue={values.keep ?? "7"}
            error={errorAt("keep")}
          />
        </div>
        <div class="of-backup form-pair">
          <SelectField
            label={t("schedules.backup")}
            hint={t("schedules.backup_hint")}
            name="backupId"
            value={values.backupId ?? ""}
            choices={[
              { value: "", label: backups.length === 0 ? t("schedules.backup_none") : "" },
              ...backups.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) })),
            ]}
            error={errorAt("backupId")}
          />
        </div>
        <div class="of-stop form-pair">
          <TextField
            label={t("schedules.deadline")}
            hint={t("schedules.deadline_hint")}
            name="deadlineSeconds"
            type="number"
            min={10}
            max={3600}
            defaultValue={values.deadlineSeconds ?? "120"}
            error={errorAt("deadlineSeconds")}
          />
          {/* A box that is not ticked says nothing. */}
          <input type="hidden" name="force" value="no" />
          <CheckField
            label={t("schedules.force")}
            hint={t("schedules.force_hint")}
            name="force"
            value="yes"
            defaultChecked={values.force === "yes"}
          />
        </div>
      </div>
    </Panel>
  );
}
