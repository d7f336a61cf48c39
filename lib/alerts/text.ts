/** A message of several alerts: its title, its lines, how urgent it is. Pure. */
import { ALERT_SEVERITIES, type AlertIncident, type AlertSeverity } from "../contract/mod.ts";
import { render, type Unrendered } from "../i18n/message.ts";
import { oneLine } from "../text/text.ts";
import { aboutWord } from "./about.ts";

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

function lineOf({ kind, incident }: TextItem): string {
  const { severity, name, message } = incident;
  const word = kind === "resolved" ? "Resolved" : severity.charAt(0).toUpperCase() + severity.slice(1);
  const at = new Date(kind === "resolved" ? incident.endedAt ?? 0 : incident.firedAt);
  const when = at.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return oneLine(`[${word}] ${aboutWord(incident)}: ${name}. ${render(message)} (${when})`, 600);
}

/** @param more items that are not told one by one @param host where KVM Manager runs */
export function alertText(items: readonly TextItem[], more: number, host: string): AlertText {
  const sorted = items.toSorted((a, b) =>
    Number(a.kind === "resolved") - Number(b.kind === "resolved") || level(b) - level(a)
  );
  const fired = sorted.filter(({ kind }) => kind === "fired"), first = sorted[0];
  const others = items.length + more - 1;
  const what = first === undefined
    ? "Nothing"
    : `${first.kind === "resolved" ? "Resolved: " : ""}${aboutWord(first.incident)}: ${first.incident.name}`;
  return {
    title: oneLine(`${what}${others > 0 ? ` and ${others} more` : ""} (${host})`, LONGEST_TITLE),
    lines: [...sorted.map(lineOf), ...more > 0 ? [`… and ${more} more. The page Alerts has them all.`] : []],
    severity: ALERT_SEVERITIES[Math.max(0, ...(fired.length > 0 ? fired : sorted).map(level))]!,
    isResolved: fired.length === 0,
  };
}
