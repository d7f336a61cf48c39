import { useAlertSummary } from "../../lib/client/use_alert_summary.ts";
import type { AlertSummary } from "../../lib/contract/mod.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

/** Leads to the alerts, and says on every page how many fire. */
export function AlertsButton({ alerts }: { alerts: AlertSummary | null }) {
  const { firing = 0, worst } = useAlertSummary(alerts).value ?? {};
  return (
    <a
      class="icon-button tasks-button"
      href="/alerts"
      aria-label={firing === 0 ? t("nav.alerts") : plural("alerts.firing", firing)}
      title={t("nav.alerts")}
    >
      <Icon name="bell" />
      {firing > 0 && (
        <span class="tasks-count" data-severity={worst} aria-hidden="true">
          {firing > 99 ? "99+" : firing}
        </span>
      )}
    </a>
  );
}
