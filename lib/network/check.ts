/** Checks a new network for contradictions, and for conflicts with the host. Pure. */
import {
  ADDRESSED_MODES,
  type NetworkSetting,
  type NetworkSettings,
  type NewNetwork,
  PLAIN_SETTINGS,
  type StaticLease,
} from "../contract/networks.ts";
import type { ErrorCode } from "../contract/errors.ts";
import {
  type Address,
  contains,
  formatAddress,
  formatSubnet,
  isHostOf,
  networkOf,
  overlaps,
  parseAddress,
  parseSubnet,
  rangeSize,
  type Subnet,
} from "../formats/ip/cidr.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** A subnet that is in use, and what uses it. */
export interface TakenSubnet {
  /** Of a device of the host: with the host's address in it. */
  readonly subnet: Subnet;
  readonly what: string;
  /** `network`: another network of libvirt's. `device`: where the host has an address. `route`: where packets go. */
  readonly kind: "network" | "device" | "route";
}

/** Networks of the host. Sets are undefined if they are unknown (another machine's). */
export interface HostNetworks {
  readonly names: ReadonlySet<string>;
  readonly taken: readonly TakenSubnet[];
  /** Network devices of the host, and which of them are bridges or have virtual functions. */
  readonly devices: ReadonlySet<string> | undefined;
  readonly bridges: ReadonlySet<string> | undefined;
  readonly sriov: ReadonlySet<string> | undefined;
  /** Names of bridges that networks have, also stopped ones. */
  readonly ownBridges: ReadonlySet<string>;
  /** Why the host has no Open vSwitch; undefined where it has, or where it cannot be told. */
  readonly noOpenvswitch: string | undefined;
}

/** One thing that is wrong, at its field. */
export interface NetworkProblem {
  readonly field: string;
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
}

type NewSubnet = NonNullable<NewNetwork["ipv4"]>;

const problem = (field: string, code: ErrorCode, details: Record<string, unknown>): NetworkProblem => ({
  field,
  code,
  details: { ...details, field },
});
const mismatch = (field: string, reason: Sentence) => problem(field, "NetworkMismatch", { reason });

const isSame = (a: Subnet, b: Subnet) =>
  a.family === b.family && a.prefix === b.prefix && networkOf(a).value === networkOf(b).value;

/**
 * Whether a new subnet conflicts with one in use. Of two routes the kernel takes the one with the longer prefix: a
 * subnet inside a route of a VPN works, and what lies in it is no longer reached through the VPN. What cannot be is the
 * same subnet twice, an address of the host in it, and two networks that share addresses.
 */
function excludes(other: TakenSubnet, subnet: Subnet): boolean {
  if (other.kind === "network") return overlaps(other.subnet, subnet);
  return isSame(other.subnet, subnet) || (other.kind === "device" && contains(subnet, other.subnet));
}

/** The first of the subnets in use that conflicts with a new one. */
export const obstacleOf = (subnet: Subnet, taken: readonly TakenSubnet[]): TakenSubnet | undefined =>
  taken.find((each) => excludes(each, subnet));

/** Of the subnets in use that share addresses with a new one and may, the one with the longest prefix. */
export function neighbourOf(subnet: Subnet, taken: readonly TakenSubnet[]): TakenSubnet | undefined {
  const found = taken.filter((each) => overlaps(each.subnet, subnet) && !excludes(each, subnet));
  return found.reduce<TakenSubnet | undefined>(
    (longest, each) => longest === undefined || each.subnet.prefix > longest.subnet.prefix ? each : longest,
    undefined,
  );
}

/**
 * The subnet in use for which libvirt does not start a network: the same one of IPv4, on another device. Source:
 * networkCheckRouteCollision() in libvirt's bridge_driver_linux.c.
 */
export const startObstacleOf = (subnet: Subnet, taken: readonly TakenSubnet[]): TakenSubnet | undefined =>
  subnet.family === 4 ? taken.find((each) => isSame(each.subnet, subnet)) : undefined;

/** The most addresses libvirt takes in one DHCP range. */
const MOST_IN_RANGE = 65_535n;

/** Fault of a DHCP range of a subnet whose host has an address; undefined for none. */
export function rangeFault(range: { start: string; end: string }, host: Subnet): string | undefined {
  const start = parseAddress(range.start), end = parseAddress(range.end);
  if (start === undefined || end === undefined) return "it is not made of IP addresses";
  if (!isHostOf(host, start) || !isHostOf(host, end)) return "it reaches beyond the subnet";
  const size = rangeSize(start, end);
  if (size === 0n) return "its end is before its start";
  if (size > MOST_IN_RANGE) return "it has more than 65535 addresses";
  return undefined;
}

/** Fault of a static lease's address; undefined for none. */
export function leaseFault({ ip }: StaticLease, host: Subnet): string | undefined {
  const address = parseAddress(ip);
  if (address === undefined) return "it is not an IP address";
  if (!isHostOf(host, address)) return "it is not in the subnet";
  if (address.value === host.value) return "the host itself has it";
  return undefined;
}

/** Whether two static leases are about the same VM or address; says which. */
export function sameLease(a: StaticLease, b: StaticLease): string | undefined {
  const [one, other] = [parseAddress(a.ip), parseAddress(b.ip)];
  if (one && other && one.family === other.family && one.value === other.value) return formatAddress(one);
  if (a.mac !== undefined && a.mac.toLowerCase() === b.mac?.toLowerCase()) return a.mac.toLowerCase();
  if (a.duid !== undefined && a.duid.toLowerCase() === b.duid?.toLowerCase()) return a.duid;
  if (a.hostname !== undefined && a.hostname === b.hostname) return a.hostname;
  return undefined;
}

/** Fault of a static lease's client; undefined for none. */
export function leaseOwnerFault({ ip, mac, duid, hostname }: StaticLease): string | undefined {
  if (ip.includes(":")) {
    if (mac !== undefined) return "DHCPv6 knows clients by their DUID or host name, not by a MAC address";
    return duid === undefined && hostname === undefined
      ? "a static lease needs a DUID or a host name"
      : undefined;
  }
  if (duid !== undefined) return "a DUID is for IPv6 addresses";
  if (mac !== undefined && parseInt(mac.slice(0, 2), 16) & 1) {
    return `${mac} is a group's MAC address, not a card's`;
  }
  return mac === undefined && hostname === undefined
    ? "a static lease needs a MAC address or a host name"
    : undefined;
}

function leaseProblems(field: string, host: Subnet, hosts: readonly StaticLease[]): NetworkProblem[] {
  return hosts.flatMap((lease, index): NetworkProblem[] => {
    const at = `${field}.${index}`;
    const fault = leaseFault(lease, host), owner = leaseOwnerFault(lease);
    if (fault) {
      return [
        problem(at, "AddressOutsideSubnet", {
          ip: lease.ip,
          subnet: formatSubnet(networkOf(host)),
          reason: fault,
        }),
      ];
    }
    if (owner) return [mismatch(at, owner)];
    const same = hosts.slice(0, index).map((other) => sameLease(lease, other)).find(Boolean);
    return same === undefined ? [] : [problem(at, "StaticLeaseTaken", { what: same })];
  });
}

/** The least prefix length a network's subnet has: a larger subnet is a slip. */
const LEAST_PREFIX = { 4: 8, 6: 16 } as const;

function subnetFault(subnet: Subnet | undefined, family: 4 | 6): string | undefined {
  if (subnet === undefined) return "an address with its prefix is needed, such as 192.168.100.1/24";
  if (subnet.family !== family) return `it is not IPv${family}`;
  const most = family === 4 ? 30 : 126;
  if (subnet.prefix < LEAST_PREFIX[family] || subnet.prefix > most) {
    return `the prefix must be ${LEAST_PREFIX[family]} to ${most}`;
  }
  if (!isHostOf(subnet, subnet) || (family === 6 && subnet.value === networkOf(subnet).value)) {
    return "this is the subnet's own address: give the host's in it, usually the first";
  }
  const first = family === 4 ? Number(subnet.value >> 24n) : Number(subnet.value >> 120n);
  const isSpecial = family === 4
    ? first === 0 || first === 127 || first >= 224 || subnet.value >> 16n === 0xa9fen
    : first === 0xff || subnet.value >> 118n === 0x3fan || subnet.value < 1n << 64n;
  return isSpecial ? "it is loopback, link-local or multicast" : undefined;
}

function subnetProblems(
  field: "ipv4" | "ipv6",
  { address, ranges = [], hosts = [] }: NewSubnet,
  facts: HostNetworks,
): NetworkProblem[] {
  const subnet = parseSubnet(address);
  const fault = subnetFault(subnet, field === "ipv4" ? 4 : 6);
  if (subnet === undefined || fault) {
    return [problem(`${field}.address`, "InvalidSubnet", { n: address, reason: fault })];
  }
  const found: NetworkProblem[] = [];
  const own = formatSubnet(networkOf(subnet));
  const other = obstacleOf(subnet, facts.taken);
  if (other) {
    const details = { subnet: own, other: formatSubnet(networkOf(other.subnet)), what: other.what };
    found.push(problem(`${field}.address`, "NetworkOverlaps", details));
  }
  const read: [Address, Address][] = [];
  ranges.forEach((range, index) => {
    const reason = rangeFault(range, subnet) ?? crossing(range, read);
    if (reason) {
      found.push(problem(`${field}.ranges.${index}`, "DhcpOutsideSubnet", { ...range, subnet: own, reason }));
    }
  });
  if (field === "ipv6" && (ranges.length > 0 || hosts.length > 0) && subnet.prefix !== 64) {
    found.push(mismatch("ipv6.address", "DHCP over IPv6 needs a /64: dnsmasq announces nothing else"));
  }
  return [...found, ...leaseProblems(`${field}.hosts`, subnet, hosts)];
}

/** Whether a range has addresses that one before has; notes it. */
function crossing(range: { start: string; end: string }, before: [Address, Address][]): string | undefined {
  // Only asked of ranges that are in order.
  const start = parseAddress(range.start)!, end = parseAddress(range.end)!;
  const crosses = before.some(([from, to]) => start.value <= to.value && end.value >= from.value);
  before.push([start, end]);
  return crosses ? "it overlaps with another range" : undefined;
}

/** Fields that say something in some modes only → those modes. */
const ONLY_IN: readonly { field: keyof NewNetwork; modes: readonly string[]; what: string }[] = [
  ...(["ipv4", "ipv6", "domain", "dnsHosts", "forwarders", ...PLAIN_SETTINGS] as const).map((field) => ({
    field,
    modes: ADDRESSED_MODES,
    what: "is for networks with addresses of their own (nat, routed, isolated, open)",
  })),
  { field: "ipv6Nat", modes: ["nat"], what: "is for nat" },
  { field: "macvtapMode", modes: ["macvtap"], what: "is for macvtap" },
  {
    field: "vlan",
    modes: ["openvswitch", "sriov"],
    what: "needs Open vSwitch or SR-IOV: a Linux bridge cannot do it",
  },
  {
    field: "devices",
    modes: ["nat", "routed", "macvtap", "sriov"],
    what: "is for nat, routed, macvtap and sriov",
  },
  {
    field: "bandwidth",
    modes: [...ADDRESSED_MODES, "bridge", "openvswitch"],
    what: "needs a bridge",
  },
  {
    field: "bridge",
    modes: [...ADDRESSED_MODES, "bridge", "openvswitch"],
    what: "is for networks with a bridge",
  },
];

const isSet = (value: unknown) =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

/** Problems of a network's new settings: those that its mode cannot have, and contradictions. */
export function settingsProblems(
  mode: string,
  settings: NetworkSettings,
  changed: readonly NetworkSetting[],
): NetworkProblem[] {
  const found = ONLY_IN.filter(({ field, modes }) =>
    changed.some((each) => each === field) && isSet(settings[field as NetworkSetting]) &&
    !modes.includes(mode)
  ).map(({ field, what }) => mismatch(field, `${field} ${what}`));
  return [...found, ...dnsProblems(settings)];
}

/** Problems of names and DNS servers. */
function dnsProblems(
  { domain, localDomain = false, forwarders = [], dnsHosts = [] }: {
    domain?: string | undefined;
    localDomain?: boolean | undefined;
    forwarders?: readonly string[] | undefined;
    dnsHosts?: NonNullable<NewNetwork["dnsHosts"]> | undefined;
  },
): NetworkProblem[] {
  const found: NetworkProblem[] = [];
  if (localDomain && domain === undefined) {
    found.push(mismatch("localDomain", "there is no domain to keep local"));
  }
  const addresses = [
    ...forwarders.map((ip, index) => ({ ip, field: `forwarders.${index}` })),
    ...dnsHosts.map(({ ip }, index) => ({ ip, field: `dnsHosts.${index}` })),
  ];
  for (const { ip, field } of addresses) {
    if (parseAddress(ip) === undefined) found.push(mismatch(field, message`${ip} is not an IP address`));
  }
  return found;
}

function modeProblems(network: NewNetwork): NetworkProblem[] {
  const { mode, vlan } = network;
  const found = ONLY_IN.filter(({ field, modes }) => isSet(network[field]) && !modes.includes(mode))
    .map(({ field, what }) => mismatch(field, `${field} ${what}`));
  if (["nat", "routed", "open"].includes(mode) && !network.ipv4 && !network.ipv6) {
    found.push(mismatch("ipv4", message`a ${mode} network needs a subnet`));
  }
  if (network.ipv6Nat && !network.ipv6) found.push(mismatch("ipv6Nat", "NAT of IPv6 needs an IPv6 subnet"));
  if (vlan?.native !== undefined && !vlan.tags.includes(vlan.native)) {
    found.push(mismatch("vlan", "the native tag must be one of the tags"));
  }
  if (mode === "sriov" && ((vlan?.tags.length ?? 0) > 1 || vlan?.trunk)) {
    found.push(mismatch("vlan", "a virtual function carries one tag, without a trunk"));
  }
  return [...found, ...dnsProblems(network)];
}

function hostProblems({ mode, bridge, devices = [] }: NewNetwork, facts: HostNetworks): NetworkProblem[] {
  const found: NetworkProblem[] = [];
  const isOwn = ADDRESSED_MODES.includes(mode);
  if (mode === "openvswitch" && facts.noOpenvswitch !== undefined) {
    found.push(problem("mode", "NotOnThisHost", { what: "Open vSwitch", reason: facts.noOpenvswitch }));
  }
  if ((mode === "bridge" || mode === "openvswitch") && bridge === undefined) {
    found.push(mismatch("bridge", "name the host's bridge"));
  } else if (mode === "bridge" && facts.bridges && !facts.bridges.has(bridge!)) {
    found.push(problem("bridge", "BridgeNotFound", { bridge }));
  } else if (
    mode === "openvswitch" && facts.noOpenvswitch === undefined && facts.devices?.has(bridge!) === false
  ) {
    found.push(problem("bridge", "BridgeNotFound", { bridge }));
  } else if (isOwn && bridge !== undefined && (facts.devices?.has(bridge) || facts.ownBridges.has(bridge))) {
    found.push(problem("bridge", "InterfaceNameTaken", { name: bridge }));
  }
  if ((mode === "macvtap" || mode === "sriov") && devices.length === 0) {
    found.push(mismatch("devices", "name the host's network device"));
  }
  if (mode === "sriov" && devices.length > 1) {
    found.push(mismatch("devices", "a pool has one physical function"));
  }
  devices.forEach((name, index) => {
    if (facts.devices && !facts.devices.has(name)) {
      found.push(problem(`devices.${index}`, "HostInterfaceNotFound", { name }));
    } else if (mode === "sriov" && facts.sriov && !facts.sriov.has(name)) {
      const details = { what: "SR-IOV", reason: message`${name} has no virtual functions` };
      found.push(problem(`devices.${index}`, "NotOnThisHost", details));
    }
  });
  return found;
}

/** Everything that stands in the way, the name first. Empty: it can be made. */
export function networkProblems(network: NewNetwork, facts: HostNetworks): NetworkProblem[] {
  const { name, ipv4, ipv6 } = network;
  const usesAddresses = ADDRESSED_MODES.includes(network.mode);
  return [
    ...(facts.names.has(name) ? [problem("name", "NetworkNameExists", { name })] : []),
    ...modeProblems(network),
    ...hostProblems(network, facts),
    ...(usesAddresses && ipv4 ? subnetProblems("ipv4", ipv4, facts) : []),
    ...(usesAddresses && ipv6 ? subnetProblems("ipv6", ipv6, facts) : []),
  ];
}

/** Warnings for a network that can be made: routes of the host that lead to addresses of its subnets. */
export function subnetWarnings({ mode, ipv4, ipv6 }: NewNetwork, facts: HostNetworks): NetworkWarning[] {
  if (!ADDRESSED_MODES.includes(mode)) return [];
  return Object.entries({ ipv4, ipv6 }).flatMap(([field, wish]): NetworkWarning[] => {
    const subnet = wish && parseSubnet(wish.address);
    const other = subnet && neighbourOf(subnet, facts.taken);
    if (other === undefined) return [];
    const [own, theirs] = [subnet, other.subnet].map((each) => formatSubnet(networkOf(each!)));
    const isInside = subnet!.prefix > other.subnet.prefix;
    const message = isInside
      ? `While this network runs, the host reaches ${own} through it, no longer through ${other.what} (${theirs})`
      : `VMs of this network cannot be reached at addresses of ${theirs}: ${other.what} uses them`;
    return [{ field: `${field}.address`, code: "NetworkOverlaps", message, severity: "warning" }];
  });
}

/** Something worth knowing, at its field. */
export interface NetworkWarning {
  readonly field: string;
  readonly code: "NetworkOverlaps";
  readonly message: string;
  readonly severity: "warning";
}

/** The subnets that are offered for a new network, as the host's address in each. */
const OFFERED: readonly Subnet[] = [
  ...Array.from({ length: 256 }, (_, at) => `192.168.${(at + 100) % 256}.1/24`),
  ...Array.from({ length: 256 }, (_, at) => `10.${(at + 200) % 256}.0.1/24`),
].map((text) => parseSubnet(text)!);

/**
 * A private IPv4 subnet, as the host's address in it: one that nothing uses, else one that only wide routes lead to, as
 * those of a VPN do that takes all traffic. Null when all are taken.
 */
export function freeIpv4(taken: readonly TakenSubnet[]): string | null {
  let best: { readonly subnet: Subnet; readonly prefix: number } | undefined;
  for (const subnet of OFFERED) {
    if (obstacleOf(subnet, taken) !== undefined) continue;
    const prefix = neighbourOf(subnet, taken)?.subnet.prefix ?? 0;
    if (prefix === 0) return formatSubnet(subnet);
    if (prefix < subnet.prefix && prefix < (best?.prefix ?? subnet.prefix)) best = { subnet, prefix };
  }
  return best === undefined ? null : formatSubnet(best.subnet);
}
