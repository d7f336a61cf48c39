import { page } from "fresh";
import { AlertsPage } from "../../components/alerts/AlertsPage.tsx";
import FiringAlerts from "../../islands/FiringAlerts.tsx";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

export const handler = define.handlers({
  async GET({ state }) {
    const incidents = await state.api.getAlertHistory({ open: true, limit: 200 }).catch(fail);
    return page({ incidents, now: Date.now() });
  },
});

/** Page of the alerts that fire now. */
export default define.page<typeof handler>(function Alerts({ data: { incidents, now }, state }) {
  return (
    <AlertsPage
      at="/alerts"
      mayCreate={state.may("create_alert")}
      maySetTargets={state.may("create_alert_target")}
    >
      <FiringAlerts
        incidents={incidents}
        now={now}
        mayAct={state.may("acknowledge_alert")}
        mayAddTarget={state.may("create_alert_target")}
      />
    </AlertsPage>
  );
});
