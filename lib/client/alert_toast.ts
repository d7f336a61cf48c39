/** Says that an alert has fired. Loaded then. */
import { aboutWord } from "../alerts/about.ts";
import { alertName } from "../alerts/name.ts";
import { SEVERITY_TONES } from "../alerts/severity_tones.ts";
import type { AlertIncident } from "../contract/mod.ts";
import { t } from "../i18n/mod.ts";
import { based } from "./base.ts";
import { report } from "./toasts.ts";

/** Shows an alert in a toast. @param more how many others fired with it */
export function showAlert(incident: AlertIncident, more: number): void {
  const about = `${aboutWord(incident)}: ${alertName(incident.alertId, incident.name)}`;
  report(more > 0 ? `${about} (+${more})` : about, {
    label: t("nav.alerts"),
    run: () => location.assign(based("/alerts")),
  }, SEVERITY_TONES[incident.severity]);
}
