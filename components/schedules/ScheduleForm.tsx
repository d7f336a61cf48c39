import type { Schedule, ScheduleFrequency, VM, Weekday } from "../../lib/contract/mod.ts";
import { ACTION_WORDS, weekdayName } from "../../lib/schedules/describe.ts";
import type { Failure } from "../../lib/text/failure.ts";
import { oneLine } from "../../lib/text/text.ts";
import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { locale, zone } from "../../lib/i18n/locale.ts";
import { formatOwnClock } from "../../lib/schedules/own_clock.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";
import { FailureText } from "../kit/FailureText.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** VMs that can be ticked. */
const LISTED = 100;
const WEEKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Frequencies with their words. */
export const FREQUENCIES = {
  once: "schedules.frequency.once",
  daily: "schedules.frequency.daily",
  weekly: "schedules.frequency.weekly",
  monthly: "schedules.frequency.monthly",
  cron: "schedules.frequency.cron",
} as const satisfies Record<ScheduleFrequency, string>;

/** What the form begins with, by the names of its fields. */
export type ScheduleValues = Readonly<Record<string, string>>;

/** A schedule as the fields of the form. */
export function scheduleValues({ targets, weekdays = [], ...rest }: Schedule): ScheduleValues {
  const listed = (name: string, values: readonly string[]) =>
    values.map((value, index) => [`${name}.${index}`, value]);
  const plain = [
    "name",
    "action",
    "frequency",
    "at",
    "time",
    "monthDay",
    "cron",
    "timeZone",
    "deadlineSeconds",
    "keep",
    "backupId",
  ] as const;
  return Object.fromEntries([
    ...[...plain, "missed" as const].flatMap((name) =>
      rest[name] === undefined ? [] : [[name, String(rest[name])]]
    ),
    ["force", rest.force ? "yes" : "no"],
    ["enabled", rest.enabled ? "yes" : "no"],
    ["targets.tags", targets.tags.join(" ")],
    ...listed("targets.vmIds", targets.vmIds),
    ...listed("targets.groups", targets.groups),
    ...listed("weekdays", weekdays),
  ]);
}

/** What is ticked of a list, whatever its rows' numbers were. */
export function tickedIn(values: ScheduleValues, name: string): ReadonlySet<string> {
  return new Set(Object.entries(values).flatMap(([key, value]) => key.startsWith(`${name}.`) ? [value] : []));
}

/** When it would run: times, or why not. */
export interface Preview {
  readonly timeZone: string;
  readonly next: readonly number[];
  readonly failure: Failure | null;
}

/** The next runs in the page's time zone; by the schedule's own clock, too, where that is another. */
export function NextRuns({ next, timeZone }: Pick<Preview, "next" | "timeZone">) {
  if (next.length === 0) return <p class="text-muted pad">{t("schedules.preview_none")}</p>;
  return (
    <ol class="next-runs">
      {next.map((at) => (
        <li key={at}>
          <time dateTime={new Date(at).toISOString()}>{formatWhen(at)}</time>
          {timeZone !== zone() && (
            <>
              {" "}
              <span class="text-muted">
                {t("schedules.in_zone", { when: formatOwnClock(at, timeZone, locale()), zone: timeZone })}
              </span>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

/** Boxes to tick, each a row of a list. */
export function Boxes({ legend, name, rows, ticked, class: extra = "" }: {
  legend: string;
  name: string;
  rows: readonly { readonly value: string; readonly label: string }[];
  ticked: ReadonlySet<string>;
  class?: string;
}) {
  return (
    <fieldset class={`choices form-field wide ${extra}`.trim()}>
      <legend>{legend}</legend>
      <div class="box-list">
        {rows.map(({ value, label }, index) => (
          <label key={value} class="check">
            <input
              type="checkbox"
              name={`${name}.${index}`}
              value={value}
              defaultChecked={ticked.has(value)}
            />
            <span>
              <bdi>{label}</bdi>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Props of {@link ScheduleForm}. */
export interface ScheduleFormProps {
  /** Where it is sent, and where it is shown again with a preview. */
  action: string;
  here: string;
  values: ScheduleValues;
  vms: readonly Pick<VM, "id" | "name" | "tags" | "group">[];
  /** Those that may be run. */
  backups: readonly { readonly id: string; readonly name: string }[];
  zones: readonly string[];
  preview: Preview;
  /** Whether it is for VMs, too, that who looks may not see. */
  hasHidden?: boolean | undefined;
  /** What is wrong with a field. */
  errorAt: (field: string) => string | undefined;
  submit: string;
}

/** The fields of a schedule. Those of other frequencies are out of sight (`schedules.css`), and count for nothing. */
export function ScheduleForm(
  { action, here, values, vms, backups, zones, preview, hasHidden = false, errorAt, submit }:
    ScheduleFormProps,
) {
  const frequency = (values.frequency ?? "daily") as ScheduleFrequency;
  const chosen = tickedIn(values, "targets.vmIds"), groups = tickedIn(values, "targets.groups");
  const byName = [...vms].sort((a, b) => a.name.localeCompare(b.name));
  const listed = [
    ...byName.filter(({ id }) => chosen.has(id)),
    ...byName.filter(({ id }) => !chosen.has(id)),
  ].slice(0, LISTED);
  const known = new Set(vms.map(({ id }) => id));
  const rows = [
    ...listed.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) })),
    ...[...chosen].filter((id) => !known.has(id)).map((id) => ({ value: id, label: id })),
  ].slice(0, LISTED);
  const allGroups = [...new Set([...groups, ...vms.flatMap(({ group }) => group ?? [])])].sort().slice(0, 32);
  const tags = [...new Set(vms.flatMap((vm) => vm.tags))].sort().slice(0, 20);
  return (
    <form class="schedule-form" method="post" action={action}>
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
      <Panel title={t("schedules.form_which")}>
        <p class="text-muted pad">{t("schedules.form_which_what")}</p>
        {hasHidden && <p class="text-muted pad">{t("schedules.hidden_stay")}</p>}
        <div class="form-grid">
          {rows.length === 0 ? <p class="text-muted form-field wide">{t("schedules.chosen_none")}</p> : (
            <Boxes
              legend={t("schedules.chosen")}
              name="targets.vmIds"
              rows={rows}
              ticked={chosen}
            />
          )}
          {vms.length > LISTED && <p class="form-hint form-field wide">{t("schedules.chosen_more")}</p>}
          <TextField
            label={t("schedules.tags")}
            hint={tags.length > 0
              ? t("schedules.tags_hint", { tags: tags.join(" ") })
              : t("schedules.tags_hint_none")}
            name="targets.tags"
            wide
            defaultValue={values["targets.tags"] ?? ""}
            error={errorAt("targets") ?? errorAt("targets.tags")}
          />
          {allGroups.length > 0 && (
            <Boxes
              legend={t("schedules.groups")}
              name="targets.groups"
              rows={allGroups.map((group) => ({ value: group, label: oneLine(group, 60) }))}
              ticked={groups}
            />
          )}
        </div>
      </Panel>
      <Panel title={t("schedules.form_when")}>
        <div class="form-grid">
          <SelectField
            label={t("schedules.frequency")}
            name="frequency"
            value={frequency}
            choices={Object.entries(FREQUENCIES).map(([value, word]) => ({ value, label: t(word) }))}
          />
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
          <Boxes
            class="of-weekly"
            legend={t("schedules.weekdays")}
            name="weekdays"
            rows={WEEKDAYS.map((day) => ({ value: day, label: weekdayName(day) }))}
            ticked={tickedIn(values, "weekdays")}
          />
          {errorAt("weekdays") !== undefined && (
            <p class="form-error form-field wide of-weekly">{errorAt("weekdays")}</p>
          )}
        </div>
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
      </Panel>
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
