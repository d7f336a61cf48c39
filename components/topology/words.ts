/** Words, icons and addresses of what stands in the picture of the network. */
import type { DeviceKind, TopologyDevice, TopologyNic, TopologyVm } from "../../lib/contract/topology.ts";
import { MODE_NAMES } from "../../lib/network/networks.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { STATES, type StateTone } from "../../lib/vm/state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { topology } from "../../lib/i18n/en/topology.ts";
import { number, type PlainKeyOf, t as shared, textsOf } from "../../lib/i18n/mod.ts";
import type { GraphNode } from "../../lib/topology/graph.ts";
import type { IconName } from "../kit/icons.ts";

const { t, plural } = textsOf(topology);
const modes = textsOf(networks);

/** Longest name in a sentence. */
const LONG = 60;

/** Address of the same data as a table. */
export const TABLE_HREF = "/networks/topology?view=table";

const KINDS: Readonly<Record<DeviceKind, { icon: IconName; name: PlainKeyOf<typeof topology> }>> = {
  physical: { icon: "ethernet", name: "topology.physical" },
  bond: { icon: "ethernet", name: "topology.bond" },
  vlan: { icon: "ethernet", name: "topology.vlan" },
  bridge: { icon: "waypoints", name: "topology.bridge" },
  openvswitch: { icon: "waypoints", name: "topology.openvswitch" },
  macvlan: { icon: "ethernet", name: "topology.macvlan" },
  port: { icon: "ethernet", name: "topology.port" },
  other: { icon: "ethernet", name: "topology.other_device" },
};

/** Name of a device by its kind: "VLAN 5", "Bridge". */
export function deviceKind({ kind, vlanId }: Pick<TopologyDevice, "kind" | "vlanId">): string {
  return vlanId === undefined ? t(KINDS[kind].name) : t("topology.vlan_id", { id: vlanId });
}

/** How something is shown: what stands on its card, and the sentence that says the same and the rest. */
export interface Words {
  readonly icon: IconName;
  readonly title: string;
  /** The second line. */
  readonly sub: string;
  readonly tone: StateTone;
  /** Icon of the state that the tone stands for. */
  readonly sign: IconName;
  readonly href: string;
  /** The sentence that says it all, for whoever points at it or does not see it. */
  readonly label: string;
}

const list = (parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(", ");
const dotted = (parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(" · ");

function upWords(up: boolean): Pick<Words, "tone" | "sign"> {
  return up ? { tone: "ok", sign: "running" } : { tone: "off", sign: "stopped" };
}

/** Name of the network or device that a VM's network interface is connected to. */
export function plugName({ to, name }: Pick<TopologyNic, "to" | "name">): string {
  if (to === "user") return t("topology.user");
  return to === "nothing" ? t("topology.not_connected") : oneLine(name, LONG);
}

/** A VM's first address, without its prefix; undefined while none is known. */
function firstAddress({ nics }: TopologyVm): string | undefined {
  return nics.flatMap(({ addresses }) => addresses)[0]?.replace(/\/\d+$/, "");
}

/** Words of a VM. */
export function vmWords(vm: TopologyVm): Words {
  const look = STATES[vm.state], word = shared(look.word);
  const title = oneLine(vm.name, LONG), address = firstAddress(vm);
  const cards = vm.nics.map((nic) => list([plugName(nic), ...nic.addresses]));
  return {
    icon: "monitor",
    title,
    sub: vm.nics.length === 0 ? t("topology.no_nics") : address ?? word,
    tone: look.tone,
    sign: look.icon,
    href: `/vms/${encodeURIComponent(vm.vmId)}`,
    label: list([title, word, ...cards.length > 0 ? cards : [t("topology.no_nics")]]),
  };
}

/** Words of a group's head. */
export function groupWords(
  node: GraphNode & { kind: "group" },
): { title: string; running: string; on: string } {
  const running = node.vms.filter(({ state }) => state === "running").length;
  const on = [...new Set(node.vms[0]!.nics.map(plugName))].join(", ");
  return {
    title: plural("topology.group", node.vms.length),
    running: t("topology.running", { n: number(running) }),
    on: on === "" ? t("topology.no_nics") : t("topology.group_on", { networks: on }),
  };
}

/** Words of a card that is no group. */
export function topologyWords(node: Exclude<GraphNode, { kind: "group" }>): Words {
  if (node.kind === "vm") return vmWords(node.vm);
  if (node.kind === "user") {
    const [title, sub] = [t("topology.user"), t("topology.user_what")];
    return { icon: "network", title, sub, ...upWords(true), href: TABLE_HREF, label: list([title, sub]) };
  }
  const title = oneLine(node.name, LONG);
  if (node.kind === "network" && node.network !== undefined) {
    const { mode, active, addresses } = node.network;
    const name = modes.t(MODE_NAMES[mode]);
    const state = modes.t(active ? "networks.active" : "networks.inactive");
    return {
      icon: "network",
      title,
      sub: dotted([name, active ? addresses[0] : state]),
      ...upWords(active),
      href: networkHref(node.name),
      label: list([title, name, state, ...addresses]),
    };
  }
  if (node.kind === "device" && node.device !== undefined) {
    const { kind, up, addresses, hasDefaultRoute } = node.device;
    const name = deviceKind(node.device), state = t(up ? "topology.up" : "topology.down");
    const out = hasDefaultRoute ? t("topology.way_out") : undefined;
    return {
      icon: KINDS[kind].icon,
      title,
      sub: dotted([out ?? name, up ? addresses[0] : state]),
      ...upWords(up),
      href: `${TABLE_HREF}#${deviceAnchor(node.name)}`,
      label: list([title, name, state, out, ...addresses]),
    };
  }
  const missing = t("topology.missing");
  return {
    icon: node.kind === "network" ? "network" : "waypoints",
    title,
    sub: missing,
    tone: "bad",
    sign: "crashed",
    href: TABLE_HREF,
    label: list([title, missing]),
  };
}

/** The anchor of a device's row. */
export const deviceAnchor = (device: string): string => `device-${encodeURIComponent(device)}`;

/** A text that fits a width, judged by the mean width of a letter of Inter at 13 px, bold, with some wide ones. */
export function fitting(text: string, width: number, letter = 7.6): string {
  const most = Math.floor(width / letter);
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, Math.max(1, most - 1)).join("")}…`;
}
