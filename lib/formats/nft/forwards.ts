/**
 * The rules that forward ports, as one transaction: our own tables are replaced whole, no other program's are named.
 *
 * Packets to a forwarded port are given the target's address (`in`, `here` for those of the host itself). Chains of
 * others then refuse them: libvirt rejects every new connection that leaves through a NAT network's bridge, and an
 * accept of ours does not outweigh a reject of theirs. So they are marked (`way`) and routed by a device of our own
 * instead of the bridge, about which no rule of libvirt's says anything; the table of that device's other end
 * (`deliver`) hands them to the bridge, past every hook. Answers take the usual way. docs/port-forwards.md has the whole.
 */
import { bitsOf, type Family } from "../ip/cidr.ts";
import { match, type NftJson, packetField, type Statement, valueRange } from "./json.ts";

/** One forward as the kernel is told of it. */
export interface ForwardRule {
  readonly id: string;
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  /** One address of the host; undefined: every one but the loopback's. */
  readonly hostAddress: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly target: string;
  /** The target's port for the first of the host's. */
  readonly targetFrom: number;
  /** The network's bridge on the host. */
  readonly bridge: string;
  /** The network's subnet: its first address and prefix. */
  readonly subnet: { readonly address: string; readonly prefix: number };
}

/** Names of our objects in the kernel: two KVM Managers on one host have different ones. */
export interface ForwardNames {
  readonly table: string;
  /** The device that marked packets are routed by, and its other end. */
  readonly out: string;
  readonly in: string;
  /** Mark of packets, and number of the routing table. */
  readonly mark: number;
}

const PROTOCOL = { 4: "ip", 6: "ip6" } as const;
const NFPROTO = { 4: "ipv4", 6: "ipv6" } as const;
const LOOPBACK: Readonly<Record<Family, NftJson>> = {
  4: { prefix: { addr: "127.0.0.0", len: 8 } },
  6: "::1",
};
/** Before Docker's and the like at -100 and 100: a port that is ours is not somebody else's as well. */
const PRIORITY = { dstnat: -105, way: -95, srcnat: 95 } as const;

const isLocal = match({ fib: { result: "type", flags: "daddr" } }, "local");
const isTranslated = match({ ct: { key: "status" } }, "dnat", "in");

function prefixOf({ address, prefix }: ForwardRule["subnet"], family: Family): NftJson {
  return prefix === bitsOf(family) ? address : { prefix: { addr: address, len: prefix } };
}

/** The target's ports, from the host's: the same, one, or a map of one each. */
function targetPort({ protocol, from, to, targetFrom }: ForwardRule): { port?: NftJson } {
  if (from === targetFrom) return {};
  if (from === to) return { port: targetFrom };
  const pairs = Array.from({ length: to - from + 1 }, (_, step) => [from + step, targetFrom + step]);
  return { port: { map: { key: packetField(protocol, "dport"), data: { set: pairs } } } };
}

/** Gives the target's address to what comes for a forwarded port. */
function translate(rule: ForwardRule, fromHere: boolean): Statement[] {
  const ip = PROTOCOL[rule.family];
  const daddr = packetField(ip, "daddr");
  return [
    match({ meta: { key: "nfproto" } }, NFPROTO[rule.family]),
    ...(rule.hostAddress !== undefined
      ? [match(daddr, rule.hostAddress)]
      : fromHere
      ? [match(daddr, LOOPBACK[rule.family], "!="), isLocal]
      : [isLocal]),
    match(packetField(rule.protocol, "dport"), valueRange(rule.from, rule.to)),
    { dnat: { family: ip, addr: rule.target, ...targetPort(rule) } },
  ];
}

/** Marks it for our own way; what comes from the network itself needs none, its bridge lets it through. */
function lead(rule: ForwardRule, { mark }: ForwardNames): Statement[] {
  return [
    match({ meta: { key: "iifname" } }, rule.bridge, "!="),
    isTranslated,
    match({ ct: { key: "direction" } }, "original"),
    match(packetField(PROTOCOL[rule.family], "daddr"), rule.target),
    match(
      packetField(rule.protocol, "dport"),
      valueRange(rule.targetFrom, rule.targetFrom + rule.to - rule.from),
    ),
    { mangle: { key: { meta: { key: "mark" } }, value: mark } },
  ];
}

/** VMs of the target's own network reach it through the host: the answers have to come back this way. */
function returnHere({ family, subnet, target }: ForwardRule): Statement[] {
  const ip = PROTOCOL[family];
  return [
    isTranslated,
    match(packetField(ip, "saddr"), prefixOf(subnet, family)),
    match(packetField(ip, "daddr"), target),
    { masquerade: null },
  ];
}

/** Hands what was routed our way to the network's bridge, which finds the VM as for anything it sends. */
function deliver({ family, subnet, bridge }: ForwardRule): Statement[] {
  const ip = PROTOCOL[family];
  const daddr = packetField(ip, "daddr");
  return [match(daddr, prefixOf(subnet, family)), { fwd: { dev: bridge, family: ip, addr: daddr } }];
}

/** The same only once, in order. */
function unique<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

/** Removes our tables, whether they are there or not. */
export function clearing({ table }: ForwardNames): NftJson[] {
  return (["inet", "netdev"] as const).flatMap((family) => [
    // Deleting a table that is not there fails; adding one that is does not.
    { add: { table: { family, name: table } } },
    { delete: { table: { family, name: table } } },
  ]);
}

/** The transaction that makes our tables what these rules say. Without rules it removes them. */
export function forwardTransaction(rules: readonly ForwardRule[], names: ForwardNames): NftJson {
  if (rules.length === 0) return { nftables: clearing(names) };
  const own = (family: string, rest: { readonly [key: string]: NftJson }) => ({
    family,
    table: names.table,
    ...rest,
  });
  const chain = (family: string, name: string, kind: { readonly [key: string]: NftJson }): NftJson => ({
    add: { chain: own(family, { name, policy: "accept", ...kind }) },
  });
  const added = (
    family: string,
    name: string,
    statements: readonly Statement[],
    comment?: string,
  ): NftJson => ({
    add: { rule: own(family, { chain: name, expr: statements, ...(comment !== undefined && { comment }) }) },
  });
  const of = (name: string, statements: (rule: ForwardRule) => Statement[]) =>
    rules.map((rule) => added("inet", name, statements(rule), `port forward ${rule.id}`));
  const nat = { type: "nat" } as const;
  return {
    nftables: [
      ...clearing(names),
      { add: { table: { family: "inet", name: names.table } } },
      { add: { table: { family: "netdev", name: names.table } } },
      chain("inet", "in", { ...nat, hook: "prerouting", prio: PRIORITY.dstnat }),
      chain("inet", "here", { ...nat, hook: "output", prio: PRIORITY.dstnat }),
      chain("inet", "way", { type: "filter", hook: "prerouting", prio: PRIORITY.way }),
      chain("inet", "back", { ...nat, hook: "postrouting", prio: PRIORITY.srcnat }),
      chain("netdev", "deliver", {
        type: "filter",
        hook: "ingress",
        dev: names.in,
        prio: 0,
        policy: "drop",
      }),
      ...of("in", (rule) => translate(rule, false)),
      ...of("here", (rule) => translate(rule, true)),
      ...of("way", (rule) => lead(rule, names)),
      ...unique(rules.map(returnHere)).map((statements) => added("inet", "back", statements)),
      ...unique(rules.map(deliver)).map((statements) => added("netdev", "deliver", statements)),
    ],
  };
}
