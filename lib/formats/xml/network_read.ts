/** Parser for a network's XML. Networks of any maker are read: unknown parts are left out. Pure. */
import type { Network, NetworkSettings, NetworkSubnet, StaticLease } from "../../contract/networks.ts";
import { formatSubnet, networkOf, parseAddress, prefixOfNetmask } from "../ip/cidr.ts";
import { plainSettingsOf } from "./network_plain.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Fields of a network that its XML has. */
export type NetworkSummary = Omit<
  Network,
  "name" | "uuid" | "active" | "persistent" | "autostart" | "vms" | "pending"
>;

/** libvirt's forward mode → ours. */
const MODES: Readonly<Record<string, Network["mode"]>> = {
  nat: "nat",
  route: "routed",
  open: "open",
  private: "macvtap",
  vepa: "macvtap",
  passthrough: "macvtap",
  hostdev: "sriov",
};

function modeOf(root: XmlElement): Network["mode"] {
  const forward = child(root, "forward");
  if (forward === undefined) return "isolated";
  const word = forward.attributes.mode ?? "nat";
  // Bridging is three things: to a bridge of the host, to an Open vSwitch, or macvtap's mode of the same name.
  if (word === "bridge") {
    if (child(root, "virtualport")?.attributes.type === "openvswitch") return "openvswitch";
    return child(root, "bridge") === undefined ? "macvtap" : "bridge";
  }
  return MODES[word] ?? "other";
}

function leaseOf({ attributes: { ip, mac, id, name } }: XmlElement): StaticLease[] {
  if (ip === undefined) return [];
  return [{
    ip,
    ...(mac !== undefined && { mac: mac.toLowerCase() }),
    ...(id !== undefined && { duid: id }),
    ...(name !== undefined && { hostname: name }),
  }];
}

function subnetOf(element: XmlElement): NetworkSubnet[] {
  const { address: text, prefix: length, netmask } = element.attributes;
  const address = parseAddress(text ?? "");
  if (address === undefined) return [];
  const prefix = length !== undefined
    ? Number(length)
    : netmask !== undefined
    ? prefixOfNetmask(netmask) ?? 32
    : address.family === 6
    ? 64
    : classOf(address.value);
  const dhcp = child(element, "dhcp");
  return [{
    family: address.family === 6 ? "ipv6" : "ipv4",
    address: text!,
    prefix,
    cidr: formatSubnet(networkOf({ ...address, prefix })),
    dhcp: dhcp !== undefined,
    ranges: children(dhcp, "range").flatMap(({ attributes: { start, end } }) =>
      start !== undefined && end !== undefined ? [{ start, end }] : []
    ),
    hosts: children(dhcp, "host").flatMap(leaseOf),
  }];
}

/** The prefix an IPv4 address has that names none: its class's. */
function classOf(value: bigint): number {
  const first = Number(value >> 24n);
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

const whole = (text: string | undefined): number | undefined =>
  /^\d+$/.test(text ?? "") ? Number(text) : undefined;

function speedOf(element: XmlElement | undefined) {
  const averageKib = whole(element?.attributes.average);
  const peakKib = whole(element?.attributes.peak), burstKib = whole(element?.attributes.burst);
  if (averageKib === undefined) return undefined;
  return {
    averageKib,
    ...(peakKib !== undefined && { peakKib }),
    ...(burstKib !== undefined && { burstKib }),
  };
}

function bandwidthOf(root: XmlElement): Network["bandwidth"] {
  const bandwidth = child(root, "bandwidth");
  const inbound = speedOf(child(bandwidth, "inbound")), outbound = speedOf(child(bandwidth, "outbound"));
  return inbound || outbound ? { ...(inbound && { inbound }), ...(outbound && { outbound }) } : undefined;
}

const dnsHostsOf = (root: XmlElement) =>
  children(child(root, "dns"), "host").flatMap((host) =>
    host.attributes.ip === undefined ? [] : [{
      ip: host.attributes.ip,
      hostnames: children(host, "hostname").map(({ text }) => text.trim()).filter(Boolean),
    }]
  );

/** Reads what can be changed about a network. @throws {XmlError} */
export function readNetworkSettings(source: string): NetworkSettings {
  const root = parseXml(source);
  const domain = child(root, "domain")?.attributes;
  const bandwidth = bandwidthOf(root);
  return {
    ...(domain?.name !== undefined && { domain: domain.name }),
    localDomain: domain?.localOnly === "yes",
    // A forwarder with a domain of its own is for that domain alone: not ours to change.
    forwarders: children(child(root, "dns"), "forwarder").flatMap(({ attributes: { addr, domain } }) =>
      addr === undefined || domain !== undefined ? [] : [addr]
    ),
    dnsHosts: dnsHostsOf(root),
    ...plainSettingsOf(root),
    ...(bandwidth && { bandwidth }),
  };
}

/** Reads a network. @throws {XmlError} */
export function readNetwork(source: string): NetworkSummary {
  const root = parseXml(source);
  const forward = child(root, "forward");
  const bridge = child(root, "bridge")?.attributes.name;
  const domain = child(root, "domain")?.attributes.name;
  const word = forward && (forward.attributes.mode ?? "nat");
  const bandwidth = bandwidthOf(root);
  const vlans = children(child(root, "vlan"), "tag");
  const native = whole(vlans.find(({ attributes }) => attributes.nativeMode !== undefined)?.attributes.id);
  const devices = [forward, ...["interface", "pf"].flatMap((name) => children(forward, name))].flatMap((
    each,
  ) => each?.attributes.dev ?? []);
  return {
    mode: modeOf(root),
    ...(word !== undefined && { forward: word }),
    ...(bridge !== undefined && { bridge }),
    devices: [...new Set(devices)],
    subnets: children(root, "ip").flatMap(subnetOf),
    // A route is written as a subnet is: an address with its prefix or netmask.
    routes: children(root, "route").flatMap(subnetOf).map(({ cidr }) => cidr),
    ...(domain !== undefined && { domain }),
    dnsHosts: dnsHostsOf(root),
    ...plainSettingsOf(root),
    vlanTags: vlans.flatMap(({ attributes }) => whole(attributes.id) ?? []),
    ...(native !== undefined && { vlanNative: native }),
    ...(bandwidth && { bandwidth }),
  };
}
