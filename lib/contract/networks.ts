/** Virtual networks: what there is, and every command that makes, runs, changes or removes one. */
import Type, { type Static, type TNull, type TOptional, type TSchema, type TUnion } from "typebox";
import { command } from "./command.ts";
import { refusedAs } from "./refusal.ts";
import { closed, NOTHING_IN, NOTHING_OUT, oneOf, SentenceText, Timestamp } from "./schema.ts";
import { VmState } from "./vm.ts";

/**
 * Kinds of networks that can be made. The first four have a bridge and addresses of their own; the others lead
 * guests to what the host has already.
 */
export const NETWORK_MODES = [
  "nat",
  "routed",
  "isolated",
  "open",
  "bridge",
  "macvtap",
  "openvswitch",
  "sriov",
] as const;
export type NetworkMode = typeof NETWORK_MODES[number];
/** Modes in which libvirt itself gives addresses away. */
export const ADDRESSED_MODES: readonly string[] = ["nat", "routed", "isolated", "open"];

/** How guests on a macvtap network see each other. */
export const MACVTAP_MODES = ["bridge", "private", "vepa", "passthrough"] as const;

/** A name on the wire: one that exists may have any; only new ones are bounded further. */
const AnyName = Type.String({ minLength: 1, maxLength: 255, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const NewName = Type.String({
  minLength: 1,
  maxLength: 50,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
  description: "1–50 letters, digits, dots, dashes and underscores",
  ...refusedAs({
    minLength: "InvalidNetworkName",
    maxLength: "InvalidNetworkName",
    pattern: "InvalidNetworkName",
  }),
});
/** The kernel's bound for names of devices. */
const Device = Type.String({
  minLength: 1,
  maxLength: 15,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
  description: "1–15 characters, as the kernel names devices",
});
const Ip = Type.String({ minLength: 2, maxLength: 45, pattern: "^[0-9A-Fa-f:.]+$" });
const Cidr = Type.String({
  minLength: 4,
  maxLength: 49,
  description: "the host's address in it, with the prefix: 192.168.100.1/24",
});
const HostName = Type.String({
  minLength: 1,
  maxLength: 253,
  pattern: "^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$",
});
const Mac = Type.String({ pattern: "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$", maxLength: 17 });
/** A DHCPv6 client identifier. */
const Duid = Type.String({ pattern: "^[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+$", maxLength: 400 });
const VlanTag = Type.Integer({ minimum: 0, maximum: 4095 });

export const AddressRange = closed({ start: Ip, end: Ip });
export type AddressRange = Static<typeof AddressRange>;

export const StaticLease = closed({
  ip: Ip,
  mac: Type.Optional(Mac),
  duid: Type.Optional(Duid),
  hostname: Type.Optional(HostName),
}, { description: "IPv4: by mac or hostname; IPv6: by duid or hostname" });
export type StaticLease = Static<typeof StaticLease>;

const DnsHost = closed({ ip: Ip, hostnames: Type.Array(HostName, { minItems: 1, maxItems: 16 }) });

const Speed = closed({
  averageKib: Type.Integer({ minimum: 1, maximum: 100_000_000, description: "KiB a second" }),
  peakKib: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000_000 })),
  burstKib: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000_000, description: "KiB at peak speed" }),
  ),
});
const Bandwidth = closed({
  inbound: Type.Optional(Speed),
  outbound: Type.Optional(Speed),
}, { description: "of all guests together, as the network sees it" });

const Vlan = closed({
  tags: Type.Array(VlanTag, { minItems: 1, maxItems: 64, uniqueItems: true }),
  trunk: Type.Optional(
    Type.Boolean({ default: false, description: "guests see the tags; always so with several" }),
  ),
  native: Type.Optional(VlanTag),
});

const NewSubnet = closed({
  address: Cidr,
  ranges: Type.Optional(
    Type.Array(AddressRange, {
      maxItems: 16,
      description:
        "given away by DHCP; an empty list: no DHCP; left out: all of the subnet, of IPv4 (not in mode open)",
    }),
  ),
  hosts: Type.Optional(Type.Array(StaticLease, { maxItems: 1000 })),
});

/** Settings that are one value each, absent for none: what a network is made with, and has changed later. */
const PlainSettings = {
  mtu: Type.Integer({ minimum: 68, maximum: 65_535 }),
  isolatedPorts: Type.Boolean({
    description: "guests reach the host and what is outside, but not each other",
  }),
};
/** Their names. */
export const PLAIN_SETTINGS = Object.keys(PlainSettings) as (keyof typeof PlainSettings)[];
export type PlainSetting = typeof PLAIN_SETTINGS[number];
/** Each as something that need not be there. */
const optional = <P extends Record<string, TSchema>>(fields: P) =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, Type.Optional(field)])) as {
    [K in keyof P]: TOptional<P[K]>;
  };
/** … or null, which takes it away. */
const orNull = <P extends Record<string, TSchema>>(fields: P) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, Type.Union([field, Type.Null()])]),
  ) as { [K in keyof P]: TUnion<[P[K], TNull]> };

/** Fields of a new network. */
export const NewNetwork = closed({
  name: NewName,
  mode: oneOf(NETWORK_MODES),
  bridge: Type.Optional(Device),
  devices: Type.Optional(Type.Array(Device, {
    maxItems: 32,
    uniqueItems: true,
    description: "nat, routed: the way out; macvtap: the pool; sriov: the physical function",
  })),
  macvtapMode: Type.Optional(oneOf(MACVTAP_MODES)),
  ipv4: Type.Optional(NewSubnet),
  ipv6: Type.Optional(NewSubnet),
  ipv6Nat: Type.Optional(Type.Boolean({ default: false, description: "nat: IPv6 too" })),
  domain: Type.Optional(HostName),
  localDomain: Type.Optional(
    Type.Boolean({ default: false, description: "names in the domain are never asked outside" }),
  ),
  dnsHosts: Type.Optional(Type.Array(DnsHost, { maxItems: 256 })),
  forwarders: Type.Optional(
    Type.Array(Ip, { maxItems: 8, description: "DNS servers asked instead of the host's" }),
  ),
  ...optional(PlainSettings),
  bandwidth: Type.Optional(Bandwidth),
  vlan: Type.Optional(Vlan),
  start: Type.Optional(Type.Boolean({ default: true })),
  autostart: Type.Optional(Type.Boolean({ default: true, description: "started with the host" })),
});
export type NewNetwork = Static<typeof NewNetwork>;

export const NetworkSubnet = Type.Object({
  family: oneOf(["ipv4", "ipv6"]),
  address: Type.String({ description: "the host's own" }),
  prefix: Type.Integer(),
  cidr: Type.String(),
  dhcp: Type.Boolean(),
  ranges: Type.Array(AddressRange),
  hosts: Type.Array(StaticLease),
});
export type NetworkSubnet = Static<typeof NetworkSubnet>;

/** Settings of an existing network that can be changed. */
export const NetworkSettings = Type.Object({
  domain: Type.Optional(Type.String()),
  localDomain: Type.Boolean(),
  forwarders: Type.Array(Type.String()),
  dnsHosts: Type.Array(DnsHost),
  ...optional(PlainSettings),
  bandwidth: Type.Optional(Bandwidth),
});
export type NetworkSettings = Static<typeof NetworkSettings>;

/** Their names: what a change lists. */
export const NETWORK_SETTINGS = [
  "domain",
  "localDomain",
  "forwarders",
  "dnsHosts",
  ...PLAIN_SETTINGS,
  "bandwidth",
] as const;
export type NetworkSetting = typeof NETWORK_SETTINGS[number];
const Changed = Type.Array(oneOf(NETWORK_SETTINGS));

export const NetworkUser = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  state: VmState,
  macs: Type.Array(Type.String()),
});
export type NetworkUser = Static<typeof NetworkUser>;

export const Network = Type.Object({
  name: Type.String(),
  uuid: Type.String(),
  active: Type.Boolean(),
  persistent: Type.Boolean(),
  autostart: Type.Boolean(),
  mode: oneOf([...NETWORK_MODES, "other"]),
  forward: Type.Optional(
    Type.String({ description: "libvirt's own word for the mode; absent for isolated" }),
  ),
  bridge: Type.Optional(Type.String()),
  devices: Type.Array(Type.String()),
  subnets: Type.Array(NetworkSubnet),
  routes: Type.Array(Type.String(), { description: "subnets its static routes lead to" }),
  domain: Type.Optional(Type.String()),
  dnsHosts: Type.Array(DnsHost),
  ...optional(PlainSettings),
  vlanTags: Type.Array(Type.Integer()),
  vlanNative: Type.Optional(
    Type.Integer({ description: "the one of the tags that frames without a tag belong to" }),
  ),
  bandwidth: Type.Optional(Bandwidth),
  pending: Type.Array(oneOf(NETWORK_SETTINGS), { description: "what is different from the next start on" }),
  vms: Type.Array(NetworkUser),
});
export type Network = Static<typeof Network>;

export const NetworkLease = Type.Object({
  mac: Type.String(),
  ip: Type.String(),
  prefix: Type.Integer(),
  hostname: Type.Optional(Type.String()),
  duid: Type.Optional(Type.String({ description: "of DHCPv6" })),
  expiresAt: Type.Union([Timestamp, Type.Null()], { description: "null: it does not end" }),
  isStatic: Type.Boolean(),
  vmId: Type.Optional(Type.String()),
  vmName: Type.Optional(Type.String()),
});
export type NetworkLease = Static<typeof NetworkLease>;

/** Something that stands in the way of a network, at its field. */
export const NetworkFinding = Type.Object({
  field: Type.String({ description: "ipv4.ranges.0; empty for the network as a whole" }),
  code: Type.String(),
  message: SentenceText(),
  severity: oneOf(["error", "warning"], { description: "warning: it can be made all the same" }),
});
export type NetworkFinding = Static<typeof NetworkFinding>;

export const NetworkOptions = Type.Object({
  devices: Type.Array(Type.Object({
    name: Type.String(),
    bridge: Type.Boolean(),
    sriov: Type.Boolean(),
  })),
  unavailable: Type.Array(Type.Object({ mode: oneOf(NETWORK_MODES), reason: SentenceText() })),
  freeIpv4: Type.Union([Type.String(), Type.Null()], { description: "a subnet nothing here uses" }),
  freeIpv6: Type.String({ description: "a random unique local subnet" }),
});
export type NetworkOptions = Static<typeof NetworkOptions>;

const ByName = { name: AnyName };
const Force = Type.Optional(Type.Boolean({ default: false, description: "although VMs use it" }));

/** Errors of a network's fields. */
const WRONG = [
  "InvalidNetworkName",
  "NetworkNameExists",
  "InvalidSubnet",
  "NetworkOverlaps",
  "DhcpOutsideSubnet",
  "AddressOutsideSubnet",
  "StaticLeaseTaken",
  "InterfaceNameTaken",
  "BridgeNotFound",
  "HostInterfaceNotFound",
  "NotOnThisHost",
  "NetworkMismatch",
] as const;

export const networkCommands = {
  get_networks: command({
    summary: "List virtual networks",
    role: "viewer",
    input: NOTHING_IN,
    output: Type.Array(Network),
    errors: [],
    route: "GET /networks",
    cli: ["network", "list"],
    lookup: { fields: ["network"], by: "name", more: "mode" },
    columns: ["name", "active", "mode", "bridge", "subnets", "autostart"],
    wide: ["domain", "persistent", "uuid"],
    readOnly: true,
  }),
  get_network: command({
    summary: "Show a virtual network with its libvirt XML",
    role: "viewer",
    input: closed(ByName),
    output: Type.Object({
      ...Network.properties,
      next: Type.Object(NetworkSettings.properties, { description: "as the next start has it" }),
      xml: Type.String(),
    }),
    errors: ["NetworkNotFound"],
    route: "GET /networks/{name}",
    cli: ["network", "show", "<name>"],
    readOnly: true,
  }),
  get_network_options: command({
    summary: "Show what a new network can be made of on this host",
    role: "operator",
    input: NOTHING_IN,
    output: NetworkOptions,
    errors: [],
    route: "GET /network-options",
    cli: ["network", "options"],
    readOnly: true,
  }),
  check_network: command({
    summary: "Check a new network against the host without making it",
    description:
      "Overlaps with other networks and the host's routes, ranges outside the subnet, what is missing.",
    role: "operator",
    input: NewNetwork,
    output: Type.Array(NetworkFinding),
    errors: ["InvalidNetworkName"],
    route: "POST /networks/check",
    cli: ["network", "check", "<name>", "<mode>"],
    flags: { address: "ipv4.address" },
    columns: ["severity", "field", "code", "message"],
    readOnly: true,
  }),
  create_network: command({
    plan: "check_network",
    summary: "Create a virtual network",
    description: "Defined, set to start with the host, and started; nothing is left when one of them fails.",
    role: "administrator",
    input: NewNetwork,
    envelope: "config",
    output: Type.Object({ name: Type.String(), uuid: Type.String(), warnings: Type.Array(NetworkFinding) }),
    errors: [...WRONG, "NetworkCreateFailed"],
    route: "POST /networks",
    cli: ["network", "create", "<name>", "<mode>"],
    flags: { address: "ipv4.address" },
    examples: [
      "kvm-manager network create lab nat --address 192.168.50.1/24",
      "kvm-manager network create lab nat --address 192.168.50.1/24 --dhcp 192.168.50.100-192.168.50.199",
      "kvm-manager network create lab nat --file lab.yaml",
    ],
    readOnly: false,
  }),
  start_network: command({
    summary: "Start a virtual network",
    role: "operator",
    input: closed(ByName),
    output: NOTHING_OUT,
    errors: ["NetworkNotFound", "NetworkAlreadyActive", "NetworkOverlaps", "NetworkStartFailed"],
    route: "POST /networks/{name}/start",
    cli: ["network", "start", "<name>"],
    mark: "change",
    already: ["NetworkAlreadyActive"],
    readOnly: false,
  }),
  stop_network: command({
    summary: "Stop a virtual network",
    description:
      "Running VMs on it lose their connection until they are started again: refused unless forced.",
    role: "operator",
    input: closed({ ...ByName, force: Force }),
    output: NOTHING_OUT,
    errors: ["NetworkNotFound", "NetworkNotActive", "NetworkInUse", "NetworkStopFailed"],
    route: "POST /networks/{name}/stop",
    cli: ["network", "stop", "<name>"],
    destroys: "with --force the connection of the running VMs on it",
    mark: "change",
    already: ["NetworkNotActive"],
    readOnly: false,
  }),
  set_network_autostart: command({
    summary: "Start a virtual network with the host, or not",
    role: "operator",
    input: closed({ ...ByName, autostart: Type.Boolean() }),
    output: NOTHING_OUT,
    errors: ["NetworkNotFound", "NetworkNotPersistent", "NetworkUpdateFailed"],
    route: "PUT /networks/{name}/autostart",
    cli: ["network", "autostart", "<name>", "<autostart>"],
    readOnly: false,
  }),
  delete_network: command({
    summary: "Delete a virtual network",
    description:
      "Stopped first where it runs. Refused while VMs have a card on it, running or not, unless forced.",
    role: "administrator",
    input: closed({ ...ByName, force: Force }),
    output: NOTHING_OUT,
    errors: ["NetworkNotFound", "NetworkInUse", "NetworkDeleteFailed"],
    route: "DELETE /networks/{name}",
    cli: ["network", "delete", "<name>"],
    destroys: "the network, its static leases, its DNS entries and its port forwards",
    readOnly: false,
  }),
  update_network_dhcp: command({
    summary: "Change a network's static leases and DHCP ranges",
    description:
      "Removals first, then additions; at once where it runs, and kept where it is persistent. What was done is " +
      "undone when a later step fails. A guest takes its static lease when it asks for an address again.",
    role: "operator",
    input: closed({
      ...ByName,
      remove: Type.Optional(Type.Array(StaticLease, { maxItems: 256 })),
      add: Type.Optional(Type.Array(StaticLease, { maxItems: 256 })),
      removeRanges: Type.Optional(Type.Array(AddressRange, { maxItems: 16 })),
      addRanges: Type.Optional(Type.Array(AddressRange, { maxItems: 16 })),
      allowLeased: Type.Optional(Type.Boolean({
        default: false,
        description: "keeps an address for one that another VM holds now",
      })),
    }),
    output: Type.Object({ live: Type.Boolean(), persistent: Type.Boolean() }),
    errors: [
      "NetworkNotFound",
      "NoSuchStaticLease",
      "StaticLeaseTaken",
      "AddressLeased",
      "AddressOutsideSubnet",
      "DhcpOutsideSubnet",
      "NetworkMismatch",
      "NetworkUpdateFailed",
    ],
    route: "PATCH /networks/{name}/dhcp",
    cli: ["network", "dhcp", "<name>"],
    readOnly: false,
  }),
  update_network: command({
    summary: "Change a network's names, DNS, MTU and limits",
    description:
      "DNS entries change at once where it runs; the rest from its next start on. null takes a setting away. What " +
      "was done is undone when a later step fails.",
    role: "administrator",
    input: closed({
      ...ByName,
      domain: Type.Optional(Type.Union([HostName, Type.Null()])),
      localDomain: Type.Optional(Type.Boolean()),
      dnsHosts: Type.Optional(Type.Array(DnsHost, { maxItems: 256, description: "all of them" })),
      forwarders: Type.Optional(Type.Array(Ip, { maxItems: 8, description: "all of them" })),
      ...optional(orNull(PlainSettings)),
      bandwidth: Type.Optional(Type.Union([Bandwidth, Type.Null()])),
    }),
    output: Type.Object({ now: Changed, nextStart: Changed }, { description: "what was changed, and when" }),
    errors: ["NetworkNotFound", "NetworkNotPersistent", "NetworkMismatch", "NetworkUpdateFailed"],
    route: "PATCH /networks/{name}",
    cli: ["network", "update", "<name>"],
    exampleFields: ["domain"],
    readOnly: false,
  }),
  get_network_leases: command({
    summary: "List a network's DHCP leases, with the VM each belongs to",
    role: "viewer",
    input: closed(ByName),
    output: Type.Array(NetworkLease),
    errors: ["NetworkNotFound"],
    route: "GET /networks/{name}/leases",
    cli: ["network", "leases", "<name>"],
    columns: ["ip", "mac", "hostname", "vmName", "isStatic"],
    wide: ["expiresAt", "duid"],
    readOnly: true,
  }),
};
