import { api } from "../../lib/client/api.ts";
import { live } from "../../lib/client/live.ts";
import { whenChanged } from "../../lib/client/query.ts";
import { useQuery } from "../../lib/client/use_query.ts";
import type { AlertSummary } from "../../lib/contract/mod.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const NOTHING: AlertSummary = { firing: 0, acknowledged: 0, worst: null };

/** Leads to the alerts, and says on every page how many fire. */
export function AlertsButton({ alerts }: { alerts: AlertSummary | null }) {
  const { value } = useQuery({
    first: alerts ?? NOTHING,
    read: () => api.getAlertSummary(),
    follow: whenChanged(live.alertChanges),
    failed: null,
  });
  const { firing, worst } = value.value;
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
