import { page } from "fresh";
import { AlertsPage } from "../../../components/alerts/AlertsPage.tsx";
import { RuleTable } from "../../../components/alerts/RuleTable.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { alerts as texts } from "../../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    return page({ alerts: await state.api.listAlerts().catch(fail) });
  },
});

/** Page of the alert rules. */
export default define.page<typeof handler>(function AlertRules({ data: { alerts }, state }) {
  return (
    <AlertsPage
      at="/alerts/rules"
      mayCreate={state.may("create_alert")}
      maySetTargets={state.may("create_alert_target")}
    >
      <div class="panel">
        {alerts.length > 0
          ? <RuleTable alerts={alerts} maySwitch={state.may("enable_alert")} />
          : (
            <Empty icon="bell" title={t("alerts.rules_none")}>
              <p>{t("alerts.rules_none_what")}</p>
              {state.may("create_alert") && (
                <p>
                  <a class="button" href="/alerts/new">{t("alerts.create")}</a>
                </p>
              )}
            </Empty>
          )}
      </div>
    </AlertsPage>
  );
});
