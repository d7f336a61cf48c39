import { AlertNotifications } from "../components/alerts/AlertNotifications.tsx";
import { IncidentTable } from "../components/alerts/IncidentTable.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { AlertIncident } from "../lib/contract/mod.ts";
import { alerts as texts } from "../lib/i18n/en/alerts.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

function NothingFires({ mayAddTarget }: { mayAddTarget: boolean }) {
  return (
    <Empty icon="bell" title={t("alerts.none")}>
      <p>{t("alerts.none_what")}</p>
      <p class="button-row">
        <a class="button" href="/alerts/rules">{t("alerts.show_rules")}</a>{" "}
        {mayAddTarget && <a class="button" href="/settings/alert-targets">{t("alerts.add_target")}</a>}
      </p>
    </Empty>
  );
}

/** List of the alerts that fire: first as the page was rendered, then live. */
export default function FiringAlerts({ incidents, now, mayAct, mayAddTarget }: {
  incidents: readonly AlertIncident[];
  now: number;
  /** Whether they may acknowledge and silence. */
  mayAct: boolean;
  mayAddTarget: boolean;
}) {
  const { value } = useQuery<readonly AlertIncident[]>({
    first: incidents,
    read: () => api.getAlertHistory({ open: true, limit: 200 }),
    follow: whenChanged(live.alertChanges),
  });
  return (
    <>
      <div class="panel">
        {value.value.length === 0 ? <NothingFires mayAddTarget={mayAddTarget} /> : (
          <IncidentTable
            label={t("alerts.open")}
            incidents={value.value}
            now={now}
            mayAct={mayAct}
            to="/alerts"
          />
        )}
      </div>
      <AlertNotifications />
    </>
  );
}
