import { alertName } from "../../lib/alerts/name.ts";
import { CoverNote } from "../coverage/CoverNote.tsx";
import type { Alert } from "../../lib/contract/mod.ts";
import { figureWord, seriesWord } from "../../lib/alerts/words.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable, stacked } from "../kit/DataTable.tsx";
import { SwitchForm } from "../kit/SwitchForm.tsx";
import { Severity } from "./IncidentTable.tsx";

const { t, plural } = textsOf(texts);
const AT = "/alerts/rules";

/** When it fires, in words. */
function conditionOf(alert: Alert): string {
  const { watches, series, comparison, threshold = 0, label } = alert;
  switch (watches) {
    case "vm_metric":
    case "host_metric": {
      const of = `${seriesWord(series ?? "")}${label === undefined ? "" : ` (${oneLine(label, 40)})`}`;
      return t(`alerts.condition.${comparison}`, { series: of, value: figureWord(alert, threshold) });
    }
    case "certificate_ends":
    case "backup_old":
      return t(`alerts.condition.${watches}`, { n: threshold });
    default:
      return t(`alerts.condition.${watches}`);
  }
}

/** On what it is, in words. */
function scopeOf({ scope, hostId = "", group = "", vmName, vmId = "" }: Alert): string {
  if (scope === "everything") return t("alerts.scope.everything");
  if (scope === "host" && hostId === LOCAL_HOST) return t("alerts.this_host");
  return t(`alerts.scope.${scope}`, {
    name: oneLine({ host: hostId, group, vm: vmName ?? vmId }[scope], 60),
  });
}

function nowOf({ firing, pending }: Alert): string {
  const words = [
    ...firing > 0 ? [t("alerts.firing_n", { n: firing })] : [],
    ...pending > 0 ? [t("alerts.pending_n", { n: pending })] : [],
  ];
  return words.join(", ");
}

/** Alerts, one a row, each with its switch. */
export function RuleTable({ alerts, maySwitch }: { alerts: readonly Alert[]; maySwitch: boolean }) {
  return (
    <DataTable
      label={t("alerts.rules")}
      rows={alerts}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-alert": id })}
      columns={[
        {
          title: t("alerts.name"),
          cell: ({ id, name }) => (
            <a href={`${AT}/${encodeURIComponent(id)}`}>
              <bdi>{oneLine(alertName(id, name), 60)}</bdi>
            </a>
          ),
        },
        { title: t("alerts.severity"), cell: ({ severity }) => <Severity severity={severity} /> },
        {
          title: t("alerts.condition"),
          fit: "wrap",
          cell: (alert) => stacked([conditionOf(alert), plural("alerts.checks", alert.checks)]),
        },
        {
          title: t("alerts.where"),
          cell: (alert) => (
            <>
              <bdi>{scopeOf(alert)}</bdi>
              <CoverNote of={alert} />
            </>
          ),
        },
        { title: t("alerts.now"), cell: nowOf },
        {
          title: t("alerts.on"),
          cell: ({ id, name, enabled }) => (
            <SwitchForm
              action={formHref("enable_alert", { alertId: id, enabled: !enabled }, AT)}
              checked={enabled}
              label={t("alerts.enabled_of", { name: oneLine(alertName(id, name), 60) })}
              word={enabled ? t("alerts.on") : t("alerts.off")}
              disabled={!maySwitch}
            />
          ),
        },
      ]}
    />
  );
}
