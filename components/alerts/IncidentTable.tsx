import type { AlertIncident, AlertSeverity } from "../../lib/contract/mod.ts";
import { aboutWord, incidentAnchor } from "../../lib/alerts/about.ts";
import { alertName } from "../../lib/alerts/name.ts";
import { SEVERITY_TONES } from "../../lib/alerts/severity_tones.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import { RowButton } from "../kit/RowButton.tsx";

const { t } = textsOf(texts);

const ICONS: Readonly<Record<AlertSeverity, IconName>> = {
  info: "info",
  warning: "alert",
  critical: "circleAlert",
};

/** How bad it is, as icon, word and colour. */
export function Severity({ severity }: { severity: AlertSeverity }) {
  return (
    <span class="state" data-tone={SEVERITY_TONES[severity]}>
      <Icon name={ICONS[severity]} />
      <span class="state-word">{t(`alerts.severity.${severity}`)}</span>
    </span>
  );
}

function About({ incident }: { incident: AlertIncident }) {
  const { vmId } = incident, name = <bdi>{aboutWord(incident)}</bdi>;
  return (
    <span class="stack">
      <strong>{oneLine(alertName(incident.alertId, incident.name), 100)}</strong>
      {vmId === undefined
        ? <span class="text-muted">{name}</span>
        : <a href={`/vms/${encodeURIComponent(vmId)}`}>{name}</a>}
    </span>
  );
}

function State({ incident: { state, acknowledgedBy, ended, silenced } }: { incident: AlertIncident }) {
  return (
    <span class="stack">
      <span>{t(`alerts.state.${state}`)}</span>
      {state === "acknowledged" && acknowledgedBy !== undefined && (
        <span class="text-muted">{t("alerts.by", { name: oneLine(acknowledgedBy, 40) })}</span>
      )}
      {ended !== undefined && <span class="text-muted">{t(`alerts.ended.${ended}`)}</span>}
      {ended === undefined && silenced && <span class="text-muted">{t("alerts.silenced")}</span>}
    </span>
  );
}

function Actions({ incident, to }: { incident: AlertIncident; to: string }) {
  const { id, alertId, vmId, name, state, silenced } = incident;
  const of = { name: oneLine(alertName(alertId, name), 60), what: aboutWord(incident) };
  const scope = vmId === undefined ? {} : { scope: "vm", vmId };
  return (
    <div class="action-form">
      {state === "firing" && (
        <RowButton
          action={formHref("acknowledge_alert", { incidentId: id }, to)}
          text={t("alerts.acknowledge")}
          label={t("alerts.acknowledge_of", of)}
        />
      )}
      {!silenced && (
        <RowButton
          action={formHref("silence_alert", { alertId, ...scope, minutes: 60 }, to)}
          text={t("alerts.silence_hour")}
          label={t("alerts.silence_of", of)}
        />
      )}
    </div>
  );
}

/** Props of {@link IncidentTable}. */
export interface IncidentTableProps {
  label: string;
  incidents: readonly AlertIncident[];
  now: number;
  /** Said in place of the table. */
  empty?: string;
  /** The page to go on at: what is open can be acknowledged and silenced there. */
  to?: string;
  /** Whether they may do so. */
  mayAct?: boolean;
}

/** Table of incidents, one a row. */
export function IncidentTable({ label, incidents, now, empty, to, mayAct = false }: IncidentTableProps) {
  return (
    <DataTable
      label={label}
      rows={incidents}
      keyOf={({ id }) => id}
      attributesOf={({ id, alertId, state }) => ({
        id: incidentAnchor(id),
        "data-alert": alertId,
        "data-state": state,
      })}
      {...(empty !== undefined && { empty })}
      columns={[
        { title: t("alerts.about"), cell: (incident) => <About incident={incident} /> },
        { title: t("alerts.severity"), cell: ({ severity }) => <Severity severity={severity} /> },
        { title: t("alerts.what"), fit: "wrap", cell: ({ message }) => <bdi>{oneLine(message, 300)}</bdi> },
        {
          title: to === undefined ? t("alerts.fired") : t("alerts.since"),
          cell: ({ firedAt }) => <RelativeTime at={firedAt} now={now} />,
        },
        to === undefined && {
          title: t("alerts.ended"),
          cell: ({ endedAt }) => endedAt !== undefined && <RelativeTime at={endedAt} now={now} />,
        },
        { title: t("alerts.state"), cell: (incident) => <State incident={incident} /> },
        to !== undefined && mayAct && {
          title: t("alerts.actions"),
          kind: "actions",
          cell: (incident) => <Actions incident={incident} to={to} />,
        },
      ]}
    />
  );
}
