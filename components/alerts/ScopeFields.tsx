import type { VM } from "../../lib/contract/mod.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField, TextField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** Props of {@link ScopeFields}. */
export interface ScopeFieldsProps {
  /** What the fields begin with, by their names. */
  values: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  vms: readonly VM[];
  /** What everything is called. */
  everything: string;
}

/** On which VMs something is: fields of a form's grid. */
export function ScopeFields({ values, errorAt, vms, everything }: ScopeFieldsProps) {
  const scopes = [
    { value: "everything", label: everything },
    { value: "group", label: t("alerts.scope_group") },
    { value: "vm", label: t("alerts.scope_vm") },
  ];
  const choices = [
    { value: "", label: t("alerts.no_vm") },
    ...vms.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) })),
  ];
  return (
    <>
      <SelectField
        label={t("alerts.scope")}
        name="scope"
        choices={scopes}
        value={values.scope ?? "everything"}
      />
      <SelectField
        label={t("alerts.vm")}
        hint={t("alerts.vm_hint")}
        name="vmId"
        choices={choices}
        value={values.vmId ?? ""}
        error={errorAt("vmId")}
      />
      <TextField
        label={t("alerts.group")}
        hint={t("alerts.group_hint")}
        name="group"
        maxLength={128}
        defaultValue={values.group ?? ""}
        error={errorAt("group")}
      />
    </>
  );
}
