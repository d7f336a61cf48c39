import assert from "node:assert/strict";
import fc from "fast-check";
import type { NewNetwork } from "../contract/networks.ts";
import {
  freeIpv4,
  type HostNetworks,
  networkProblems,
  rangeFault,
  sameLease,
  startObstacleOf,
  subnetWarnings,
  type TakenSubnet,
} from "./check.ts";
import { bitsOf, formatSubnet, networkOf, overlaps, parseSubnet, type Subnet } from "../formats/ip/cidr.ts";

const FACTS: HostNetworks = {
  names: new Set(["default"]),
  taken: [{ subnet: parseSubnet("192.168.122.1/24")!, what: "the network default", kind: "network" }],
  devices: new Set(["eth0", "br0", "virbr0"]),
  bridges: new Set(["br0"]),
  sriov: new Set(),
  ownBridges: new Set(["virbr0", "virbr9"]),
  noOpenvswitch: "it is not there",
};
const codes = (network: NewNetwork, facts = FACTS) =>
  networkProblems(network, facts).map(({ field, code }) => `${field} ${code}`);
const nat = (more: Partial<NewNetwork> = {}): NewNetwork => ({
  name: "lab",
  mode: "nat",
  ipv4: { address: "10.5.0.1/24" },
  ...more,
});

Deno.test("networkProblems() finds nothing wrong with what fits", () => {
  assert.deepEqual(codes(nat()), []);
  assert.deepEqual(codes({ name: "lab", mode: "isolated" }), []);
  assert.deepEqual(codes({ name: "lan", mode: "bridge", bridge: "br0" }), []);
  const ipv6 = { address: "fd00::1/64", ranges: [{ start: "fd00::10", end: "fd00::ff" }] };
  assert.deepEqual(
    codes(nat({ ipv6, ipv6Nat: true, devices: ["eth0"], domain: "lab", localDomain: true })),
    [],
  );
  const unknown = {
    ...FACTS,
    devices: undefined,
    bridges: undefined,
    sriov: undefined,
    noOpenvswitch: undefined,
  };
  assert.deepEqual(
    codes({ name: "o", mode: "openvswitch", bridge: "x", vlan: { tags: [1, 2], native: 2 } }, unknown),
    [],
  );
});

Deno.test("networkProblems() names the field of everything that is wrong", () => {
  const cases: [NewNetwork, string[]][] = [
    [nat({ name: "default" }), ["name NetworkNameExists"]],
    [nat({ ipv4: { address: "192.168.0.1/16" } }), ["ipv4.address NetworkOverlaps"]],
    [nat({ ipv4: { address: "10.5.0.255/24" } }), ["ipv4.address InvalidSubnet"]],
    [nat({ ipv6: { address: "fe80::1/64" } }), ["ipv6.address InvalidSubnet"]],
    [nat({ ipv6: { address: "fd00::/64" } }), ["ipv6.address InvalidSubnet"]],
    [nat({ bridge: "virbr9" }), ["bridge InterfaceNameTaken"]],
    [nat({ vlan: { tags: [4] } }), ["vlan NetworkMismatch"]],
    [{ name: "v", mode: "sriov", devices: ["eth0"] }, ["devices.0 NotOnThisHost"]],
    [{ name: "o", mode: "openvswitch" }, ["mode NotOnThisHost", "bridge NetworkMismatch"]],
    [{ name: "m", mode: "macvtap" }, ["devices NetworkMismatch"]],
    [{ name: "b", mode: "bridge", bridge: "eth0" }, ["bridge BridgeNotFound"]],
    [nat({ forwarders: ["nine"] }), ["forwarders.0 NetworkMismatch"]],
    [nat({ ipv6: { address: "fd00::1/80", ranges: [{ start: "fd00::2", end: "fd00::3" }] } }), [
      "ipv6.address NetworkMismatch",
    ]],
  ];
  for (const [network, expected] of cases) {
    const found = codes(network);
    for (const each of expected) assert.ok(found.includes(each), `${JSON.stringify(network)}: ${found}`);
  }
});

/** Subnets of a family around two places, so that many overlap. */
const subnetOf = (family: 4 | 6, least: number): fc.Arbitrary<Subnet> => {
  const base = parseSubnet(family === 4 ? "10.64.0.0/16" : "fd64::/48")!.value;
  const span = family === 4 ? 1n << 18n : 1n << 82n;
  const most = family === 4 ? 30 : 126;
  return fc.tuple(fc.bigInt({ min: 0n, max: span }), fc.integer({ min: least, max: most })).map(
    ([offset, prefix]) => networkOf({ family, value: base + offset, prefix }),
  );
};

Deno.test("networkProblems() finds an overlap exactly where there is one, of either family", () => {
  for (const family of [4, 6] as const) {
    const field = family === 4 ? "ipv4" as const : "ipv6" as const;
    const least = bitsOf(family) / 4 + 8;
    const taken = fc.array(subnetOf(family, least), { maxLength: 6 });
    const other = fc.array(subnetOf(family === 4 ? 6 : 4, family === 4 ? 40 : 16), { maxLength: 3 });
    fc.assert(fc.property(subnetOf(family, least), taken, other, (own, same, foreign) => {
      const address = formatSubnet({ ...own, value: own.value + 1n });
      const facts = {
        ...FACTS,
        taken: [...foreign, ...same].map((subnet) => ({
          subnet,
          what: "somebody",
          kind: "network" as const,
        })),
      };
      const found = codes({ name: "lab", mode: "routed", [field]: { address } }, facts);
      const expected = same.some((each) => overlaps(each, own)) ? [`${field}.address NetworkOverlaps`] : [];
      assert.deepEqual(found, expected, address);
    }));
  }
});

Deno.test("networkProblems() looks at ranges and leases one with another", () => {
  const ranges = [{ start: "10.5.0.10", end: "10.5.0.20" }, { start: "10.5.0.20", end: "10.5.0.30" }];
  assert.deepEqual(codes(nat({ ipv4: { address: "10.5.0.1/24", ranges } })), [
    "ipv4.ranges.1 DhcpOutsideSubnet",
  ]);
  const hosts = [{ mac: "52:54:00:00:00:01", ip: "10.5.0.5" }, { mac: "52:54:00:00:00:01", ip: "10.5.0.6" }];
  assert.deepEqual(codes(nat({ ipv4: { address: "10.5.0.1/24", hosts } })), [
    "ipv4.hosts.1 StaticLeaseTaken",
  ]);
});

Deno.test("rangeFault() takes exactly the hosts of a subnet", () => {
  const host = parseSubnet("10.0.0.1/24")!;
  const part = fc.integer({ min: 0, max: 255 });
  fc.assert(fc.property(part, part, (from, to) => {
    const isFine = from > 0 && to < 255 && from <= to;
    assert.equal(rangeFault({ start: `10.0.0.${from}`, end: `10.0.0.${to}` }, host) === undefined, isFine);
  }));
  assert.match(rangeFault({ start: "10.0.0.2", end: "x" }, host)!, /not made of/);
  const wide = parseSubnet("10.0.0.1/8")!;
  assert.match(rangeFault({ start: "10.0.0.2", end: "10.9.0.2" }, wide)!, /65535/);
});

Deno.test("sameLease() sees through spellings", () => {
  assert.equal(sameLease({ ip: "fd00::1", hostname: "a" }, { ip: "fd00:0::0001", hostname: "b" }), "fd00::1");
  assert.equal(
    sameLease({ ip: "1.1.1.1", mac: "AA:00:00:00:00:01" }, { ip: "1.1.1.2", mac: "aa:00:00:00:00:01" }),
    "aa:00:00:00:00:01",
  );
  assert.equal(sameLease({ ip: "1.1.1.1" }, { ip: "1.1.1.2" }), undefined);
});

Deno.test("freeIpv4() gives what nothing uses, until nothing is left", () => {
  const taken: TakenSubnet[] = [];
  for (let round = 0; round < 300; round++) {
    const free = parseSubnet(freeIpv4(taken)!)!;
    assert.equal(taken.some(({ subnet }) => overlaps(subnet, free)), false, formatSubnet(free));
    taken.push({ subnet: free, what: "us", kind: "network" });
  }
  const all = ["192.168.0.0/16", "10.0.0.0/8"].map((text) => used(text, "network"));
  assert.equal(freeIpv4(all), null);
});

const used = (text: string, kind: TakenSubnet["kind"]): TakenSubnet => ({
  subnet: parseSubnet(text)!,
  what: `${kind} ${text}`,
  kind,
});

Deno.test("a VPN's wide routes are a warning: of two routes the longer prefix wins", () => {
  const vpn = ["0.0.0.0/1", "128.0.0.0/1", "10.8.0.0/24"].map((text) => used(text, "route"));
  const table: [string, TakenSubnet[], problem: boolean, warning: RegExp | undefined][] = [
    ["10.5.0.1/24", vpn, false, /no longer through .*0\.0\.0\.0\/1/],
    ["10.8.0.1/24", vpn, true, /no longer through .*0\.0\.0\.0\/1/],
    ["10.8.0.129/25", vpn, false, /no longer through .*10\.8\.0\.0\/24/],
    ["10.8.0.1/16", vpn, false, /cannot be reached at addresses of 10\.8\.0\.0\/24/],
    ["10.5.0.1/24", [used("10.0.0.7/8", "device")], false, /no longer through .*10\.0\.0\.0\/8/],
    ["10.0.0.1/24", [used("10.0.0.7/8", "device")], true, undefined],
    ["10.5.0.1/24", [used("10.0.0.0/8", "network")], true, undefined],
    ["10.5.0.1/24", [used("192.168.0.0/16", "route")], false, undefined],
  ];
  for (const [address, taken, isRefused, warning] of table) {
    const facts = { ...FACTS, taken }, network = nat({ ipv4: { address } });
    assert.deepEqual(codes(network, facts), isRefused ? ["ipv4.address NetworkOverlaps"] : [], address);
    const [first] = subnetWarnings(network, facts);
    if (warning === undefined) assert.equal(first, undefined, address);
    else assert.match(first!.message, warning);
  }
});

Deno.test("freeIpv4() has a subnet under a VPN's routes, and prefers what the narrower ones leave", () => {
  const half = ["0.0.0.0/1", "128.0.0.0/1"].map((text) => used(text, "route"));
  assert.equal(freeIpv4(half), "192.168.100.1/24");
  assert.equal(freeIpv4([...half, used("192.168.0.0/16", "route")]), "10.200.0.1/24");
  assert.equal(freeIpv4([...half, used("192.168.100.0/24", "route")]), "192.168.101.1/24");
});

Deno.test("a network is not started where libvirt would not: for the same subnet of IPv4 alone", () => {
  const subnet = parseSubnet("10.5.0.1/24")!;
  for (const kind of ["network", "device", "route"] as const) {
    assert.equal(startObstacleOf(subnet, [used("10.5.0.9/24", kind)])?.kind, kind);
    for (const other of ["0.0.0.0/1", "10.5.0.0/16", "10.5.0.128/25"]) {
      assert.equal(startObstacleOf(subnet, [used(other, kind)]), undefined, `${kind} ${other}`);
    }
  }
  assert.equal(startObstacleOf(parseSubnet("fd00::1/64")!, [used("fd00::1/64", "route")]), undefined);
});
