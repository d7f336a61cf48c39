import type { AlertScope, VM } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField, TextField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** Props of {@link ScopeFields}. */
export interface ScopeFieldsProps {
  /** Initial values, by the names of the fields. */
  values: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  vms: readonly VM[];
  /** Text of the choice for everything. */
  everything: string;
  /** About hosts themselves: no VM can be chosen. */
  ofHosts?: boolean;
  /** About hosts and VMs. */
  ofAny?: boolean;
}

/** Hosts that can be chosen: this one, as there is no other yet, and the one that was chosen before. */
function hostChoices(chosen: string | undefined) {
  const ids = new Set([LOCAL_HOST, ...(chosen === undefined || chosen === "" ? [] : [chosen])]);
  return [
    { value: "", label: t("alerts.no_host") },
    ...[...ids].map((id) => ({
      value: id,
      label: id === LOCAL_HOST ? t("alerts.this_host") : oneLine(id, 60),
    })),
  ];
}

/** On what something is: fields of a form's grid. */
export function ScopeFields(
  { values, errorAt, vms, everything, ofHosts = false, ofAny = false }: ScopeFieldsProps,
) {
  const words: Readonly<Record<AlertScope, string>> = {
    everything,
    host: ofHosts || ofAny ? t("alerts.scope_one_host") : t("alerts.scope_host"),
    group: t("alerts.scope_group"),
    vm: t("alerts.scope_vm"),
  };
  const scopes = (ofHosts ? ["everything", "host"] as const : ["everything", "host", "group", "vm"] as const)
    .map((value) => ({ value, label: words[value] }));
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
        error={errorAt("scope")}
      />
      {/* Each shows with its choice of the scope alone, without script, too. */}
      <div class="scope-field" data-scope="host">
        <SelectField
          label={t("alerts.host")}
          name="hostId"
          choices={hostChoices(values.hostId)}
          value={values.hostId ?? ""}
          error={errorAt("hostId")}
        />
      </div>
      {!ofHosts && (
        <>
          <div class="scope-field" data-scope="vm">
            <SelectField
              label={t("alerts.vm")}
              name="vmId"
              choices={choices}
              value={values.vmId ?? ""}
              error={errorAt("vmId")}
            />
          </div>
          <div class="scope-field" data-scope="group">
            <TextField
              label={t("alerts.group")}
              name="group"
              maxLength={128}
              defaultValue={values.group ?? ""}
              error={errorAt("group")}
            />
          </div>
        </>
      )}
    </>
  );
}
