import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { NotificationState } from "../../lib/client/alert_notifications.ts";
import { live } from "../../lib/client/live.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Loaded when a page is drawn: the live events load the same part, where notifications are on. */
const notifications = () => import("../../lib/client/alert_notifications.ts");

/** Text by state: the remedy if notifications are not possible; null for none. */
const SAID: Readonly<Record<NotificationState, PlainKeyOf<typeof texts> | null>> = {
  on: "alerts.browser_is_on",
  off: null,
  denied: "alerts.browser_denied",
  dismissed: "alerts.browser_dismissed",
  insecure: "alerts.browser_insecure",
  unsupported: "alerts.browser_unsupported",
};

/** Turns alerts into notifications of the browser that it is shown in. */
export function AlertNotifications() {
  const state = useSignal<NotificationState>("off");
  useEffect(() => {
    notifications().then(
      ({ notificationState }) => state.value = notificationState(),
      (error) => reportFailure(undefined, error),
    );
  }, []);
  const said = SAID[state.value];
  const canAsk = state.value === "off" || state.value === "dismissed";
  const toggle = async () => {
    try {
      const { turnOff, turnOn } = await notifications();
      if (state.value === "on") {
        turnOff();
        state.value = "off";
      } else {
        state.value = await turnOn();
        await live.notify();
      }
    } catch (error) {
      reportFailure(undefined, error);
    }
  };
  return (
    <section class="panel alert-notifications needs-script" aria-labelledby="alert-notifications">
      <h2 id="alert-notifications">{t("alerts.browser")}</h2>
      <p class="text-muted">{t("alerts.browser_what")}</p>
      <p role="status">{said && t(said)}</p>
      {(canAsk || state.value === "on") && (
        <button type="button" class="button" onClick={toggle}>
          {t(canAsk ? "alerts.browser_on" : "alerts.browser_off")}
        </button>
      )}
    </section>
  );
}
