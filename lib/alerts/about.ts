/** Word for the subject of an incident. Apart, because browsers need nothing else of alerts. Pure. */
import type { AlertIncident } from "../contract/mod.ts";
import { t } from "../i18n/mod.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import { oneLine } from "../text/text.ts";

/** Longest name in a sentence. */
const LONGEST = 64;

/** Subject of an incident: its VM or its host; for `not_responding`, the part of the host that hangs. */
export function aboutWord(
  { vmName, vmId, host, watches, label }: Pick<
    AlertIncident,
    "vmName" | "vmId" | "host" | "watches" | "label"
  >,
): string {
  const name = vmName ?? vmId;
  if (name !== undefined) return oneLine(name, LONGEST);
  const shown = oneLine(host, LONGEST);
  if (watches === "not_responding" && label !== undefined) {
    const what = oneLine(label, 2 * LONGEST);
    return host === LOCAL_HOST ? what : t("attention.on_host", { what, host: shown });
  }
  return host === LOCAL_HOST ? t("attention.host") : t("attention.host_named", { host: shown });
}

/** The id of an incident's row, which notifications lead to. */
export const incidentAnchor = (incidentId: string): string => `incident-${incidentId}`;
