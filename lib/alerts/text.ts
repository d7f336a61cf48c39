/** A message of several alerts, in the language of what is done now: its title, its lines, how urgent it is. Pure. */
import { ALERT_SEVERITIES, type AlertIncident, type AlertSeverity } from "../contract/mod.ts";
import { alertMessages } from "../i18n/en/alert_messages.ts";
import { alerts } from "../i18n/en/alerts.ts";
import { render, type Unrendered } from "../i18n/message.ts";
import { textsOf } from "../i18n/mod.ts";
import { oneLine } from "../text/text.ts";
import { aboutWord } from "./about.ts";
import { alertName } from "./name.ts";

const { t } = textsOf(alertMessages), { t: severityWord } = textsOf(alerts);

/** One line of a message. */
export interface TextItem {
  readonly kind: "fired" | "resolved";
  readonly incident: Unrendered<AlertIncident>;
}

/** A message as every target gets it. */
export interface AlertText {
  /** One line without control characters. */
  readonly title: string;
  /** Lines, the worst first. */
  readonly lines: readonly string[];
  readonly severity: AlertSeverity;
  /** Nothing in it fires. */
  readonly isResolved: boolean;
}

/** Longest title: mail programs and phones show less. */
const LONGEST_TITLE = 120;
const level = ({ incident }: TextItem) => ALERT_SEVERITIES.indexOf(incident.severity);

/** `web: CPU is busy`. */
const subjectOf = (incident: TextItem["incident"]) =>
  `${aboutWord(incident)}: ${alertName(incident.alertId, incident.name)}`;

function lineOf({ kind, incident }: TextItem): string {
  const { severity, message } = incident;
  const word = kind === "resolved"
    ? t("alert_messages.resolved")
    : severityWord(`alerts.severity.${severity}`);
  const at = new Date(kind === "resolved" ? incident.endedAt ?? 0 : incident.firedAt);
  const when = at.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return oneLine(`[${word}] ${subjectOf(incident)}. ${render(message)} (${when})`, 600);
}

/** @param more items that are not told one by one @param host where KVM Manager runs */
export function alertText(items: readonly TextItem[], more: number, host: string): AlertText {
  const sorted = items.toSorted((a, b) =>
    Number(a.kind === "resolved") - Number(b.kind === "resolved") || level(b) - level(a)
  );
  const fired = sorted.filter(({ kind }) => kind === "fired"), first = sorted[0];
  const others = items.length + more - 1;
  const subject = first === undefined ? t("alert_messages.nothing") : subjectOf(first.incident);
  const what = first?.kind === "resolved" ? t("alert_messages.is_resolved", { what: subject }) : subject;
  const whole = others > 0 ? t("alert_messages.others", { what, n: others }) : what;
  return {
    title: oneLine(`${whole} (${host})`, LONGEST_TITLE),
    lines: [...sorted.map(lineOf), ...more > 0 ? [t("alert_messages.more", { n: more })] : []],
    severity: ALERT_SEVERITIES[Math.max(0, ...(fired.length > 0 ? fired : sorted).map(level))]!,
    isResolved: fired.length === 0,
  };
}

/** The message by which a target is tried. */
export const testText = (host: string): AlertText => ({
  title: t("alert_messages.test_title", { host }),
  lines: [t("alert_messages.test")],
  severity: "info",
  isResolved: false,
});
