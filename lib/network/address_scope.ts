/**
 * Classifies addresses as seen from this host, which decides where may be fetched from. IPv6 addresses that carry an
 * IPv4 address are classified by that one. Pure. Sources: IANA's special-purpose registries, RFC 6890, 6052, 3056,
 * 4380.
 */
import {
  type Address,
  contains,
  formatAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "../formats/ip/cidr.ts";

/** Kinds of addresses; everything but `public` is this host, its neighbours, or unassigned. */
export const REACHES = [
  "public",
  "unspecified",
  "loopback",
  "link-local",
  "private",
  "shared (carrier-grade NAT)",
  "unique-local",
  "multicast",
  "reserved",
] as const;
export type Reach = typeof REACHES[number];

const table = (rows: readonly (readonly [string, Reach])[]): readonly (readonly [Subnet, Reach])[] =>
  rows.map(([text, reach]) => [parseSubnet(text)!, reach]);

/** The first that fits counts. */
const SPECIAL = table([
  ["0.0.0.0/8", "unspecified"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "shared (carrier-grade NAT)"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "reserved"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "reserved"],
  ["198.51.100.0/24", "reserved"],
  ["203.0.113.0/24", "reserved"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["100::/64", "reserved"],
  ["2001:2::/48", "reserved"],
  ["2001:db8::/32", "reserved"],
  ["3fff::/20", "reserved"],
  ["fc00::/7", "unique-local"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "private"],
  ["ff00::/8", "multicast"],
]);

/** Subnet of IPv6 addresses that carry an IPv4 one → how many bits stand below it, and whether its bits are turned. */
const CARRIERS: readonly (readonly [Subnet, { below: bigint; turned?: true }])[] = [
  [parseSubnet("::ffff:0:0/96")!, { below: 0n }], // mapped
  [parseSubnet("::ffff:0:0:0/96")!, { below: 0n }], // translated (SIIT)
  [parseSubnet("64:ff9b::/96")!, { below: 0n }], // NAT64
  [parseSubnet("64:ff9b:1::/48")!, { below: 0n }], // NAT64 of one's own
  [parseSubnet("2002::/16")!, { below: 80n }], // 6to4
  [parseSubnet("2001::/32")!, { below: 0n, turned: true }], // Teredo
  [parseSubnet("::/96")!, { below: 0n }], // compatible
];
/** ISATAP: the last 64 bits are 0000:5efe or 0200:5efe and an IPv4 address, in any subnet. */
const ISATAP = 0x5efen, ISATAP_MASK = 0xfdff_ffffn;
const V4 = 0xffff_ffffn;
/** The public range of IPv6: global unicast. */
const GLOBAL = parseSubnet("2000::/3")!;

/** The IPv4 address that an IPv6 address stands for; undefined when for none. */
function carried(address: Address): Address | undefined {
  const { value } = address;
  if (value <= 1n) return undefined; // :: and ::1 are themselves
  for (const [subnet, { below, turned }] of CARRIERS) {
    if (!contains(subnet, address)) continue;
    const bits = value >> below & V4;
    return { family: 4, value: turned ? bits ^ V4 : bits };
  }
  return (value >> 32n & ISATAP_MASK) === ISATAP ? { family: 4, value: value & V4 } : undefined;
}

/** Class of an address. */
export function addressReach(address: Address): Reach {
  if (address.family === 6) {
    const inner = carried(address);
    if (inner !== undefined) {
      const reach = addressReach(inner);
      // A tunnel of one's own may lead anywhere: what it carries must be public, and so must it be itself.
      return reach === "public" && !isGlobalOrWellKnown(address) ? "reserved" : reach;
    }
  }
  const special = SPECIAL.find(([subnet]) => contains(subnet, address));
  if (special !== undefined) return special[1];
  return address.family === 4 || contains(GLOBAL, address) ? "public" : "reserved";
}

const WELL_KNOWN = [parseSubnet("::ffff:0:0/96")!, parseSubnet("64:ff9b::/96")!];
const isGlobalOrWellKnown = (address: Address) =>
  contains(GLOBAL, address) || WELL_KNOWN.some((subnet) => contains(subnet, address));

/** Allowed destinations: names of hosts, `*.domain`, addresses and subnets. */
export interface ReachRules {
  /** Whether all public addresses are. */
  readonly internet: boolean;
  readonly hosts: readonly string[];
  /** Whether a name among the hosts may lead to a private network. What a name leads to is up to its name server. */
  readonly privateNames: boolean;
}

/** A host's name as it is compared. */
const plain = (host: string) => host.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "");

/** Whether a rule is one that can be understood: a host's name, `*.domain`, an address, a subnet. */
export function isReachRule(rule: string): boolean {
  if (rule.includes("/")) return parseSubnet(rule) !== undefined;
  if (parseAddress(rule) !== undefined) return true;
  return rule.length <= 253 &&
    /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i
      .test(rule) &&
    !/^[\d.]+$/.test(rule);
}

/** Networks of one's own, which a name may lead to where that is allowed. This host itself is none. */
const PRIVATE: ReadonlySet<Reach> = new Set(["private", "shared (carrier-grade NAT)", "unique-local"]);

function fits(rule: string, host: string, address: Address, mayName: boolean): boolean {
  const subnet = parseSubnet(rule);
  if (subnet !== undefined) return contains(subnet, address);
  const single = parseAddress(rule);
  if (single !== undefined) return single.family === address.family && single.value === address.value;
  if (!mayName) return false;
  const name = plain(rule);
  return name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name;
}

/** Classes that no rule can allow: these are not assigned. */
const NEVER: ReadonlySet<Reach> = new Set(["unspecified", "multicast"]);

/** Why a host at an address must not be asked; null when it may be. */
export function reachRefusal(
  host: string,
  address: Address,
  { internet, hosts, privateNames }: ReachRules,
): string | null {
  const reach = addressReach(address);
  const name = plain(host);
  if (!NEVER.has(reach)) {
    if (reach === "public" && internet) return null;
    const mayName = reach === "public" || (privateNames && PRIVATE.has(reach));
    if (hosts.some((rule) => fits(rule, name, address, mayName))) return null;
  }
  const text = formatAddress(address);
  if (reach === "public") return `${text} is on the internet, which is switched off for downloads`;
  if (reach === "unspecified") return `${text} is no address of a host`;
  // A name is allowed, but what it leads to is not.
  const isNamed = !NEVER.has(reach) && hosts.some((rule) => fits(rule, name, address, true));
  const how = PRIVATE.has(reach)
    ? "the address or its network, or let names lead to private networks"
    : "the address";
  return `${text} is a ${reach} address${isNamed ? `, which a name does not open: allow ${how}` : ""}`;
}
