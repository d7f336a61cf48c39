/**
 * A network card as libvirt's domain format writes it, MAC addresses, and how a card is changed.
 * Source: "Network interfaces" in libvirt's domain format.
 */
import type { NIC_MODELS, USER_BACKENDS } from "../../contract/choices.ts";
import type { NicLimitValues } from "../../contract/device_limits.ts";
import { xml, type XmlNode } from "./build.ts";
import { bandwidthOfNicXml, nicLimitsOf, setNicLimits } from "./device_limits.ts";
import type { XmlDocument } from "./edit.ts";
import { filterAddresses as addressesOf, filterRefXml } from "./filter.ts";
import { changedNicLimits } from "./limit_rules.ts";
import { child, type XmlElement } from "./tree.ts";

/** Connections of a card: a network of libvirt, a bridge of the host, a device of the host (macvtap). */
export const NIC_TYPES = ["network", "bridge", "direct"] as const;
export type NicType = typeof NIC_TYPES[number];
export type UserBackend = typeof USER_BACKENDS[number];
export type NicModel = typeof NIC_MODELS[number];

/** Connection of a card. */
export type NicSource =
  | {
    readonly type: NicType;
    /** Name of the network, bridge or host device. */
    readonly name: string;
  }
  /** No network: what the named process forwards. */
  | { readonly type: "user"; readonly name: UserBackend };

/** A card to be written. */
export interface NicSpec {
  readonly source: NicSource;
  readonly mac: string;
  readonly model: NicModel;
  /** Name of a network filter of libvirt. */
  readonly filter?: string | undefined;
  readonly filterAddresses?: readonly string[] | undefined;
  /** False for a card whose cable is out. */
  readonly linkUp?: boolean | undefined;
  /** Place in the order in which the firmware tries devices, from 1. */
  readonly bootOrder?: number | undefined;
  readonly limits?: NicLimitValues | undefined;
}

/** Attribute of `<source>` that names what it is plugged into. */
const SOURCE: Readonly<Record<NicType, string>> = { network: "network", bridge: "bridge", direct: "dev" };

/** Element of a card's connection. A macvtap device bridges, so that the network outside sees the guest. */
export function nicSourceXml({ type, name }: NicSource): XmlNode | undefined {
  if (type === "user") return undefined;
  return xml("source", { [SOURCE[type]]: name, mode: type === "direct" ? "bridge" : undefined });
}

/** Element of the backend; QEMU's own code needs none. */
function backendXml({ type, name }: NicSource): XmlNode | undefined {
  return type === "user" && name === "passt" ? xml("backend", { type: name }) : undefined;
}

/** A card's element. */
export function nicXml(
  { source, mac, model, filter, filterAddresses, linkUp = true, bootOrder, limits = {} }: NicSpec,
): XmlNode {
  return xml(
    "interface",
    { type: source.type },
    xml("mac", { address: mac }),
    nicSourceXml(source),
    bandwidthOfNicXml(limits),
    xml("model", { type: model }),
    backendXml(source),
    filter !== undefined && filter !== "" && filterRefXml(filter, filterAddresses),
    !linkUp && xml("link", { state: "down" }),
    bootOrder !== undefined && bootOrder > 0 && xml("boot", { order: bootOrder }),
  );
}

/** Changes to a card. */
export interface NicChange {
  readonly source?: NicSource | undefined;
  readonly linkUp?: boolean | undefined;
  readonly model?: string | undefined;
  readonly mac?: string | undefined;
  /** Empty for none. */
  readonly filter?: string | undefined;
  /** Addresses the filter is told of; without a word, those of the filter that was there. */
  readonly filterAddresses?: readonly string[] | undefined;
  /** Those to change; 0 takes one away. */
  readonly limits?: NicLimitValues | undefined;
}

/** All types of a card's connection. */
type Plug = NicSource["type"];

/**
 * Parts of a card that say something of what it is plugged into → where they stay when it is plugged in elsewhere. libvirt
 * starts no VM with one that the new place does not know: a VLAN at a Linux bridge, for one. A VLAN, a port of a switch and
 * ports of the host belong to the old place alone.
 */
const OF_PLUG: Readonly<Record<string, readonly Plug[]>> = {
  virtualport: [],
  vlan: [],
  portForward: [],
  ip: [],
  route: [],
  port: ["network", "bridge"],
  mtu: ["network", "bridge"],
  coalesce: ["network", "bridge"],
  tune: ["network", "bridge"],
  filterref: ["network", "bridge"],
  driver: ["network", "bridge", "direct"],
};

const isPluggedInto = (nic: XmlElement, { type, name }: NicSource): boolean =>
  nic.attributes.type === type &&
  (type === "user"
    ? (child(nic, "backend")?.attributes.type === "passt" ? "passt" : "slirp") === name
    : child(nic, "source")?.attributes[SOURCE[type]] === name);

/** Plugs a card in elsewhere, with nothing of where it was. */
function plug(document: XmlDocument, find: () => XmlElement, source: NicSource): void {
  document.setChild(find, "source", nicSourceXml(source));
  document.setChild(find, "backend", backendXml(source));
  for (const [part, kept] of Object.entries(OF_PLUG)) {
    if (kept.includes(source.type)) continue;
    while (child(find(), part)) document.setChild(find, part, undefined);
  }
  document.setAttribute(find(), "type", source.type);
}

/** Changes a card. `find` gives its element again after each edit. */
export function changeNic(
  document: XmlDocument,
  find: () => XmlElement,
  { source, linkUp, model, mac, filter, filterAddresses, limits }: NicChange,
): void {
  const put = (name: string, node: XmlNode | undefined) => document.setChild(find, name, node);
  if (source !== undefined && !isPluggedInto(find(), source)) plug(document, find, source);
  if (limits !== undefined) setNicLimits(document, find, changedNicLimits(nicLimitsOf(find()), limits));
  if (linkUp !== undefined) put("link", xml("link", { state: linkUp ? "up" : "down" }));
  if (model !== undefined) put("model", xml("model", { type: model }));
  if (mac !== undefined) put("mac", xml("mac", { address: mac }));
  if (filter === undefined && filterAddresses === undefined) return;
  const name = filter ?? child(find(), "filterref")?.attributes.filter ?? "";
  const addresses = filterAddresses ?? addressesOf(find());
  put("filterref", name === "" ? undefined : filterRefXml(name, addresses));
}

/** A MAC address as it is compared and shown: lower case, colons. Takes `-` for `:`. */
export function normalMac(mac: string): string {
  return mac.trim().toLowerCase().replaceAll("-", ":");
}

/** Why an address cannot be a guest's; undefined when it can. An odd first byte names a group, not one card. */
export function macFault(mac: string): "malformed" | "multicast" | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) || mac === "00:00:00:00:00:00") return "malformed";
  return (parseInt(mac.slice(0, 2), 16) & 1) === 1 ? "multicast" : undefined;
}

/** An address in QEMU's own range (52:54:00) that is not taken. @param random gives that many random bytes */
export function freeMac(
  taken: ReadonlySet<string>,
  random: (bytes: number) => Uint8Array = (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
): string {
  while (true) {
    const mac = ["52", "54", "00", ...[...random(3)].map((byte) => byte.toString(16).padStart(2, "0"))].join(
      ":",
    );
    if (!taken.has(mac)) return mac;
  }
}
