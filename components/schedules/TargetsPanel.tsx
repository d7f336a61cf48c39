import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { tickedIn } from "../../lib/schedules/form_values.ts";
import { oneLine } from "../../lib/text/text.ts";
import { CheckboxGroup } from "../kit/CheckboxGroup.tsx";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import type { ScheduleFormProps } from "./schedule_form_props.ts";

const { t } = textsOf(texts);

/** VMs that can be ticked, groups, and tags that are named. */
const LISTED = 100, GROUPS = 32, TAGS = 20;

type Vms = ScheduleFormProps["vms"];

/** VMs to tick: those that are ticked first, also where they cannot be seen. */
function rowsOf(vms: Vms, ticked: ReadonlySet<string>) {
  const byName = [...vms].sort((a, b) => a.name.localeCompare(b.name)),
    known = new Set(vms.map(({ id }) => id));
  const listed = [
    ...byName.filter(({ id }) => ticked.has(id)),
    ...byName.filter(({ id }) => !ticked.has(id)),
  ].slice(0, LISTED);
  return [
    ...listed.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) })),
    ...[...ticked].filter((id) => !known.has(id)).map((id) => ({ value: id, label: id })),
  ].slice(0, LISTED);
}

/** Choice of the VMs of a schedule. */
export function TargetsPanel(
  { values, vms, hasHidden, errorAt }: Pick<ScheduleFormProps, "values" | "vms" | "hasHidden" | "errorAt">,
) {
  const chosen = tickedIn(values, "targets.vmIds"), groups = tickedIn(values, "targets.groups");
  const vmRows = rowsOf(vms, chosen);
  const allGroups = [...new Set([...groups, ...vms.flatMap(({ group }) => group ?? [])])].sort().slice(
    0,
    GROUPS,
  );
  const tags = [...new Set(vms.flatMap((vm) => vm.tags))].sort().slice(0, TAGS);
  return (
    <Panel title={t("schedules.form_which")}>
      <p class="text-muted pad">{t("schedules.form_which_what")}</p>
      {hasHidden && <p class="text-muted pad">{t("schedules.hidden_stay")}</p>}
      <div class="form-grid">
        {vmRows.length === 0
          ? <p class="text-muted form-field wide">{t("schedules.chosen_none")}</p>
          : (
            <CheckboxGroup
              legend={t("schedules.chosen")}
              name="targets.vmIds"
              rows={vmRows}
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
          <CheckboxGroup
            legend={t("schedules.groups")}
            name="targets.groups"
            rows={allGroups.map((group) => ({ value: group, label: oneLine(group, 60) }))}
            ticked={groups}
          />
        )}
      </div>
    </Panel>
  );
}
