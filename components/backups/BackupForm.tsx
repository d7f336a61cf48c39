import type { Backup, BackupTarget, ScheduleFrequency, VM, Weekday } from "../../lib/contract/mod.ts";
import { BOOT_POLICIES } from "../../lib/backup/describe.ts";
import { BOOT_TEST_POLICIES, MOST_PARALLEL } from "../../lib/contract/backups.ts";
import { weekdayName } from "../../lib/schedules/describe.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { schedules } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { FREQUENCIES } from "../../lib/schedules/describe.ts";
import { tickedIn } from "../../lib/schedules/form_values.ts";
import { CheckboxGroup } from "../kit/CheckboxGroup.tsx";

const { t } = textsOf(texts), times = textsOf(schedules);

/** VMs that can be ticked. */
const LISTED = 100;
const WEEKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Initial values of the form, by the names of its fields. */
export type BackupValues = Readonly<Record<string, string>>;

/** A backup as the fields of the form. */
export function backupValues({ targets, target, weekdays = [], ...given }: Backup): BackupValues {
  const rest = { ...given, folder: target === null ? given.folder : "" };
  const listed = (name: string, values: readonly string[]) =>
    values.map((value, index) => [`${name}.${index}`, value]);
  const plain = [
    ...["name", "folder", "frequency", "at", "time", "monthDay", "cron", "timeZone"] as const,
    ...["keep", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"] as const,
    ...["maxMibPerSecond", "parallel", "bootTest"] as const,
  ];
  return Object.fromEntries([
    ...plain.flatMap((name) => rest[name] === undefined ? [] : [[name, String(rest[name])]]),
    ["backupTargetId", target?.id ?? ""],
    ["enabled", rest.enabled ? "yes" : "no"],
    ["targets.all", targets.all ? "yes" : "no"],
    ["targets.tags", targets.tags.join(" ")],
    ...listed("targets.vmIds", targets.vmIds),
    ...listed("targets.groups", targets.groups),
    ...listed("weekdays", weekdays),
  ]);
}

/** Props of {@link BackupForm}. */
export interface BackupFormProps {
  action: string;
  values: BackupValues;
  vms: readonly Pick<VM, "id" | "name">[];
  /** The backup targets that can be chosen in the place of a folder. */
  places: readonly Pick<BackupTarget, "id" | "name" | "encrypted">[];
  errorAt: (field: string) => string | undefined;
  submit: string;
  /** It has copies, which stay where they are. */
  hasCopies?: boolean;
  /** Address of the page to go back to. */
  back: string;
}

const KEPT = [
  ["keepDaily", "backups.keep_daily"],
  ["keepWeekly", "backups.keep_weekly"],
  ["keepMonthly", "backups.keep_monthly"],
  ["keepYearly", "backups.keep_yearly"],
] as const;
/** Values, errors, and a text field with both. */
function fieldsOf({ values, errorAt }: Pick<BackupFormProps, "values" | "errorAt">) {
  const text = (label: Parameters<typeof t>[0], name: string, more: object = {}) => (
    <TextField
      label={t(label as "backups.name")}
      name={name}
      defaultValue={values[name] ?? ""}
      error={errorAt(name)}
      {...more}
    />
  );
  return { values, errorAt, text };
}

interface PanelProps {
  fields: ReturnType<typeof fieldsOf>;
}

/** The VMs that can be chosen: those that are chosen first, also where they are gone. */
function chosenRows(vms: BackupFormProps["vms"], chosen: ReadonlySet<string>) {
  const known = new Set(vms.map(({ id }) => id));
  const byName = [...vms].sort((a, b) => a.name.localeCompare(b.name));
  return [
    ...[...chosen].filter((id) => !known.has(id)).map((id) => ({ value: id, label: id })),
    ...byName.filter(({ id }) => chosen.has(id)).map(({ id, name }) => ({
      value: id,
      label: oneLine(name, 60),
    })),
    ...byName.filter(({ id }) => !chosen.has(id)).map(({ id, name }) => ({
      value: id,
      label: oneLine(name, 60),
    })),
  ].slice(0, LISTED);
}

/** Choice of the VMs that are backed up. */
function TargetsPanel({ fields: { values, errorAt }, vms }: PanelProps & Pick<BackupFormProps, "vms">) {
  const chosen = tickedIn(values, "targets.vmIds"), rows = chosenRows(vms, chosen);
  return (
    <Panel title={t("backups.form_what")}>
      <div class="form-grid">
        <input type="hidden" name="targets.all" value="no" />
        <CheckField
          label={t("backups.all")}
          hint={t("backups.all_hint")}
          name="targets.all"
          value="yes"
          wide
          defaultChecked={values["targets.all"] === "yes"}
        />
        {rows.length > 0 && (
          <CheckboxGroup legend={t("backups.chosen")} name="targets.vmIds" rows={rows} ticked={chosen} />
        )}
        <TextField
          label={t("backups.tags")}
          hint={t("backups.tags_hint")}
          name="targets.tags"
          wide
          defaultValue={values["targets.tags"] ?? ""}
          error={errorAt("targets") ?? errorAt("targets.tags")}
        />
      </div>
    </Panel>
  );
}

/** Choice of the backups' target. */
function PlacePanel(
  { fields: { values, errorAt, text }, places, hasCopies }:
    & PanelProps
    & Pick<BackupFormProps, "places" | "hasCopies">,
) {
  return (
    <Panel title={t("backups.form_where")}>
      <div class="form-grid">
        {places.length > 0 && (
          <SelectField
            label={t("backups.target")}
            hint={t("backups.target_hint")}
            name="backupTargetId"
            value={values.backupTargetId ?? ""}
            error={errorAt("backupTargetId")}
            choices={[
              { value: "", label: t("backups.target_none") },
              ...places.map(({ id, name, encrypted }) => ({
                value: id,
                label: encrypted
                  ? t("backups.target_encrypted", { name: oneLine(name, 60) })
                  : oneLine(name, 60),
              })),
            ]}
          />
        )}
        <div class="of-folder">
          {text("backups.folder", "folder", {
            required: places.length === 0,
            maxLength: 1024,
            placeholder: "/mnt/backup",
            hint: t("backups.folder_hint"),
          })}
        </div>
        {hasCopies && <p class="form-hint wide">{t("backups.moved_hint")}</p>}
      </div>
    </Panel>
  );
}

/** When the job runs. The fields of frequencies that are not chosen are out of sight (`schedules.css`). */
function TimesPanel({ fields: { values, errorAt, text } }: PanelProps) {
  return (
    <Panel title={t("backups.form_when")}>
      <div class="form-grid">
        <SelectField
          label={t("backups.frequency")}
          name="frequency"
          value={values.frequency ?? "daily"}
          choices={[
            { value: "by-hand", label: t("backups.by_hand") },
            ...Object.entries(FREQUENCIES).map(([value, word]) => ({
              value: value as ScheduleFrequency,
              label: times.t(word),
            })),
          ]}
        />
        <div class="of-once">{text("backups.at", "at", { type: "datetime-local" })}</div>
        <div class="of-daily of-weekly of-monthly">{text("backups.time", "time", { type: "time" })}</div>
        <div class="of-monthly">
          {text("backups.month_day", "monthDay", { type: "number", min: 1, max: 31 })}
        </div>
        <div class="of-cron">
          {text("backups.cron", "cron", { maxLength: 100, hint: t("backups.cron_hint") })}
        </div>
        {text("backups.zone", "timeZone", { maxLength: 64 })}
        <CheckboxGroup
          class="of-weekly"
          legend={t("backups.weekdays")}
          name="weekdays"
          rows={WEEKDAYS.map((day) => ({ value: day, label: weekdayName(day) }))}
          ticked={tickedIn(values, "weekdays")}
        />
        {errorAt("weekdays") !== undefined && (
          <p class="form-error form-field wide of-weekly">{errorAt("weekdays")}</p>
        )}
      </div>
    </Panel>
  );
}

/** How a run works. */
function RunPanel({ fields: { values, text } }: PanelProps) {
  return (
    <Panel title={t("backups.form_run")}>
      <div class="form-grid">
        {text("backups.limit", "maxMibPerSecond", {
          type: "number",
          min: 0,
          max: 1_000_000,
          hint: t("backups.limit_hint"),
        })}
        {text("backups.parallel", "parallel", {
          type: "number",
          min: 1,
          max: MOST_PARALLEL,
          required: true,
          hint: t("backups.parallel_hint"),
        })}
        <SelectField
          label={t("backups.boot_policy")}
          hint={t("backups.boot_policy_hint")}
          name="bootTest"
          value={values.bootTest ?? "never"}
          choices={BOOT_TEST_POLICIES.map((value) => ({ value, label: t(BOOT_POLICIES[value]) }))}
        />
      </div>
    </Panel>
  );
}

/** The fields of a backup. Those of other frequencies, and the folder where a target is chosen, are out of sight (`schedules.css`), and count for nothing. */
export function BackupForm(
  { action, values, vms, places, errorAt, submit, back, hasCopies = false }: BackupFormProps,
) {
  const fields = fieldsOf({ values, errorAt }), { text } = fields;
  return (
    <form class="schedule-form" method="post" action={action}>
      <Panel title={t("backups.form_job")}>
        <div class="form-grid">
          {text("backups.name", "name", { required: true, maxLength: 100 })}
        </div>
      </Panel>
      <TargetsPanel fields={fields} vms={vms} />
      <PlacePanel fields={fields} places={places} hasCopies={hasCopies} />
      <TimesPanel fields={fields} />
      <Panel title={t("backups.form_keep")}>
        <div class="form-grid">
          {text("backups.keep", "keep", {
            type: "number",
            min: 1,
            max: 1000,
            required: true,
            hint: t("backups.keep_hint"),
          })}
          {KEPT.map(([name, label]) => text(label, name, { type: "number", min: 0, max: 1000 }))}
        </div>
      </Panel>
      <RunPanel fields={fields} />
      <div class="form-actions schedule-actions">
        <input type="hidden" name="enabled" value="no" />
        <CheckField
          label={t("backups.enabled")}
          name="enabled"
          value="yes"
          defaultChecked={(values.enabled ?? "yes") === "yes"}
        />
        <span class="grow text-muted">{t("backups.runs_as")}</span>
        <a class="button" href={back}>{t("backups.cancel")}</a>
        <button type="submit" class="button primary">{submit}</button>
      </div>
    </form>
  );
}
