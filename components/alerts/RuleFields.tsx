import {
  ALERT_SEVERITIES,
  type AlertKind,
  HOST_ALERT_SERIES,
  type MetricUnit,
  type VM,
  VM_ALERT_SERIES,
} from "../../lib/contract/mod.ts";
import { ALERT_KIND_ROWS } from "../../lib/alerts/rule.ts";
import { seriesWord } from "../../lib/alerts/words.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { SelectField, TextField } from "../kit/Field.tsx";
import { ScopeFields } from "./ScopeFields.tsx";

const { t } = textsOf(texts);

const UNITS: Readonly<Record<MetricUnit, string>> = {
  "percent": "%",
  "bytes": "bytes",
  "bytes/s": "bytes/s",
  "1/s": "per second",
  "ms": "ms",
  "celsius": "°C",
  "count": "number",
};

/** Text of an alert on everything, by its subject. */
const EVERYTHING = {
  vm: "alerts.scope_everything",
  host: "alerts.scope_hosts",
  any: "alerts.scope.everything",
} as const;

/** The figures that can be watched, as choices. */
function seriesChoices(watches: AlertKind) {
  const series = watches === "vm_metric" ? VM_ALERT_SERIES : HOST_ALERT_SERIES;
  return Object.entries(series).map(([value, { unit }]) => {
    return { value, label: `${seriesWord(value)} (${UNITS[unit]})` };
  }).sort((a, b) => a.label < b.label ? -1 : 1);
}

/** Props of {@link RuleFields}. */
export interface RuleFieldsProps {
  watches: AlertKind;
  /** Initial values, by the names of the fields. */
  values: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  vms: readonly VM[];
}

/** The fields of an alert, as far as its kind has them. */
export function RuleFields({ watches, values, errorAt, vms }: RuleFieldsProps) {
  const { about, series, days } = ALERT_KIND_ROWS[watches];
  return (
    <div class="form-grid">
      <TextField
        label={t("alerts.name")}
        name="name"
        required
        maxLength={100}
        defaultValue={values.name ?? ""}
        error={errorAt("name")}
      />
      <SelectField
        label={t("alerts.severity")}
        name="severity"
        choices={ALERT_SEVERITIES.map((value) => ({ value, label: t(`alerts.severity.${value}`) }))}
        value={values.severity ?? "warning"}
      />
      {series !== undefined && (
        <>
          <SelectField
            label={t("alerts.series")}
            name="series"
            choices={seriesChoices(watches)}
            value={values.series ?? "cpu_usage"}
            error={errorAt("series")}
          />
          <TextField
            label={t("alerts.label")}
            hint={t("alerts.label_hint")}
            name="label"
            maxLength={64}
            defaultValue={values.label ?? ""}
            error={errorAt("label")}
          />
          <SelectField
            label={t("alerts.comparison")}
            name="comparison"
            choices={(["above", "below"] as const).map((value) => ({
              value,
              label: t(`alerts.comparison.${value}`),
            }))}
            value={values.comparison ?? "above"}
          />
        </>
      )}
      {(series !== undefined || days) && (
        <TextField
          label={days ? t("alerts.days") : t("alerts.threshold")}
          hint={days ? t(`alerts.days_hint.${days}`) : t("alerts.threshold_hint")}
          name="threshold"
          type={days ? "number" : "text"}
          required
          defaultValue={values.threshold ?? ""}
          error={errorAt("threshold")}
        />
      )}
      {series !== undefined && (
        <TextField
          label={t("alerts.clear")}
          hint={t("alerts.clear_hint")}
          name="clearThreshold"
          defaultValue={values.clearThreshold ?? ""}
          error={errorAt("clearThreshold")}
        />
      )}
      <TextField
        label={t("alerts.checks")}
        hint={watches === "not_responding" ? t("alerts.checks_hint_hang") : t("alerts.checks_hint")}
        name="checks"
        type="number"
        min={1}
        max={1000}
        required
        defaultValue={values.checks ?? (watches === "not_responding" ? "1" : "3")}
        error={errorAt("checks")}
      />
      {about !== "program" && (
        <ScopeFields
          values={values}
          errorAt={errorAt}
          vms={vms}
          everything={t(EVERYTHING[about])}
          ofHosts={about === "host"}
          ofAny={about === "any"}
        />
      )}
    </div>
  );
}
