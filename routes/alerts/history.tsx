import { page } from "fresh";
import { AlertsPage } from "../../components/alerts/AlertsPage.tsx";
import { IncidentTable } from "../../components/alerts/IncidentTable.tsx";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ incidents: await state.api.getAlertHistory({ limit: 200 }).catch(fail), now: Date.now() });
  },
});

/** Page of the alerts that have fired. */
export default define.page<typeof handler>(function AlertHistory({ data: { incidents, now }, state }) {
  return (
    <AlertsPage
      at="/alerts/history"
      mayCreate={state.may("create_alert")}
      maySetTargets={state.may("create_alert_target")}
    >
      <div class="panel">
        <IncidentTable
          label={t("alerts.history")}
          incidents={incidents}
          now={now}
          empty={t("alerts.history_none")}
        />
      </div>
    </AlertsPage>
  );
});
