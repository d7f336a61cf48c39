/** A network as libvirt's network format writes it. Source: "Network XML format". Pure. */
import { type NewNetwork, PLAIN_SETTINGS, type StaticLease } from "../../contract/networks.ts";
import { formatAddress, parseSubnet } from "../ip/cidr.ts";
import { xml, type XmlNode } from "./build.ts";
import { plainSettingXml } from "./network_plain.ts";

/** A static lease's element. DHCPv6 knows clients by their identifier, not by their MAC address. */
export function leaseXml({ ip, mac, duid, hostname }: StaticLease): XmlNode {
  return xml("host", ip.includes(":") ? { id: duid, name: hostname, ip } : { mac, name: hostname, ip });
}

/** A DHCP range's element. */
export function rangeXml({ start, end }: { start: string; end: string }): XmlNode {
  return xml("range", { start, end });
}

type NewSubnet = NonNullable<NewNetwork["ipv4"]>;

/** @throws {TypeError} for an address that was not checked */
function ipXml({ address, ranges = [], hosts = [] }: NewSubnet): XmlNode {
  const subnet = parseSubnet(address);
  if (subnet === undefined) throw new TypeError(`${JSON.stringify(address)} is no subnet`);
  return xml(
    "ip",
    { family: subnet.family === 6 ? "ipv6" : "ipv4", address: formatAddress(subnet), prefix: subnet.prefix },
    (ranges.length > 0 || hosts.length > 0) && xml("dhcp", {}, ranges.map(rangeXml), hosts.map(leaseXml)),
  );
}

/** Mode → libvirt's word for it. */
const FORWARD: Readonly<Record<NewNetwork["mode"], string | undefined>> = {
  nat: "nat",
  routed: "route",
  isolated: undefined,
  open: "open",
  bridge: "bridge",
  macvtap: undefined,
  openvswitch: "bridge",
  sriov: "hostdev",
};

function forwardXml(
  { mode, devices = [], macvtapMode = "bridge", ipv6Nat = false }: NewNetwork,
): XmlNode | undefined {
  const interfaces = () => devices.map((dev) => xml("interface", { dev }));
  if (mode === "macvtap") return xml("forward", { mode: macvtapMode }, interfaces());
  if (mode === "sriov") {
    return xml("forward", { mode: "hostdev", managed: true }, devices.map((dev) => xml("pf", { dev })));
  }
  const word = FORWARD[mode];
  if (word === undefined) return undefined;
  return xml(
    "forward",
    { mode: word },
    mode === "nat" && ipv6Nat && xml("nat", { ipv6: true }),
    (mode === "nat" || mode === "routed") && interfaces(),
  );
}

function speedXml(
  name: string,
  speed: { averageKib: number; peakKib?: number; burstKib?: number } | undefined,
) {
  return speed && xml(name, { average: speed.averageKib, peak: speed.peakKib, burst: speed.burstKib });
}

/** Limits of a network. */
export function bandwidthXml({ inbound, outbound }: NonNullable<NewNetwork["bandwidth"]>): XmlNode {
  return xml("bandwidth", {}, speedXml("inbound", inbound), speedXml("outbound", outbound));
}

/** A DNS entry's element. */
export function dnsHostXml({ ip, hostnames }: NonNullable<NewNetwork["dnsHosts"]>[number]): XmlNode {
  return xml("host", { ip }, hostnames.map((each) => xml("hostname", {}, each)));
}

/** A new network as an element. What it is made of must have been checked: see `lib/network/check.ts`. */
export function networkXml(network: NewNetwork, uuid?: string): XmlNode {
  const { name, mode, bridge, domain, localDomain = false, dnsHosts = [], forwarders = [], vlan } = network;
  const own = FORWARD[mode] !== "bridge" && mode !== "macvtap" && mode !== "sriov";
  const hasDns = own && (dnsHosts.length > 0 || forwarders.length > 0);
  return xml(
    "network",
    {},
    xml("name", {}, name),
    uuid !== undefined && xml("uuid", {}, uuid),
    forwardXml(network),
    own
      ? xml("bridge", { ...(bridge !== undefined && { name: bridge }), stp: "on", delay: 0 })
      : bridge !== undefined && xml("bridge", { name: bridge }),
    mode === "openvswitch" && xml("virtualport", { type: "openvswitch" }),
    PLAIN_SETTINGS.map((setting) => plainSettingXml(setting, network[setting])),
    domain !== undefined &&
      xml("domain", { name: domain, localOnly: localDomain ? true : undefined }),
    hasDns && xml(
      "dns",
      {},
      forwarders.map((addr) => xml("forwarder", { addr })),
      dnsHosts.map(dnsHostXml),
    ),
    network.bandwidth && bandwidthXml(network.bandwidth),
    vlan && xml(
      "vlan",
      { trunk: vlan.trunk === true || vlan.tags.length > 1 ? true : undefined },
      vlan.tags.map((id) => xml("tag", { id, nativeMode: id === vlan.native ? "untagged" : undefined })),
    ),
    own && network.ipv4 && ipXml(network.ipv4),
    own && network.ipv6 && ipXml(network.ipv6),
  );
}
