/** Port forwards as pages show them and as their forms send them. The same on the server and in the browser. */
import type { ForwardState, PortForward } from "../../contract/forwards.ts";
import { forwards as texts } from "../../i18n/en/forwards.ts";
import { type PlainKeyOf, textsOf } from "../../i18n/mod.ts";
import { networkHref } from "../network_href.ts";
import { oneLine } from "../../text/text.ts";

const { t } = textsOf(texts);
type Text = PlainKeyOf<typeof texts>;

/** State → its word, icon and tone. */
export const FORWARD_WORDS = {
  active: { word: "forwards.state_active", icon: "running", tone: "ok" },
  waiting: { word: "forwards.state_waiting", icon: "loader", tone: "info" },
  conflict: { word: "forwards.state_conflict", icon: "circleAlert", tone: "warn" },
  lost: { word: "forwards.state_lost", icon: "circleAlert", tone: "warn" },
  failed: { word: "forwards.state_failed", icon: "circleAlert", tone: "bad" },
  unavailable: { word: "forwards.state_unavailable", icon: "circleAlert", tone: "bad" },
  disabled: { word: "forwards.state_disabled", icon: "stopped", tone: "off" },
} as const satisfies Record<ForwardState, { word: Text; icon: string; tone: string }>;

/** Address of the page that changes a network's forwards. */
export const forwardsHref = (network: string): string => `${networkHref(network)}/forwards`;

const portsText = (from: number, to: number) =>
  from === to ? String(from) : t("forwards.ports", { from, to });

/** `TCP 8080`. */
export function forwardName({ protocol, hostPort, hostPortEnd }: PortForward): string {
  return t("forwards.what", { protocol: protocol.toUpperCase(), ports: portsText(hostPort, hostPortEnd) });
}

/** `10.0.0.5 port 80`, as far as it is known. */
export function forwardTarget({ address, targetAddress = address, ...forward }: PortForward): string {
  const ports = portsText(forward.targetPort, forward.targetPortEnd);
  return targetAddress === undefined
    ? t("forwards.target_unknown", { ports })
    : t("forwards.target_address", { address: oneLine(targetAddress, 45), ports });
}

/** A card in the form's list of targets: VM and, where it has several cards, which. */
export const targetFields = (vmId: string, mac?: string): string =>
  String(new URLSearchParams({ vmId, ...(mac !== undefined && { mac }) }));
