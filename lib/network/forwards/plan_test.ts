import { render } from "../../i18n/message.ts";
import assert from "node:assert/strict";
import type { Network } from "../../contract/networks.ts";
import type { VM } from "../../contract/vm.ts";
import { parseAddress } from "../../formats/ip/cidr.ts";
import {
  type ForwardFacts,
  nicAddress,
  notForwardable,
  planForwards,
  type StoredForward,
  subnetFor,
} from "./plan.ts";

const MAC = "52:54:00:00:00:01";
const OTHER = "52:54:00:00:00:02";

const network = (changes: Partial<Network> = {}): Network => ({
  name: "lan",
  uuid: "u",
  active: true,
  persistent: true,
  autostart: true,
  mode: "nat",
  bridge: "virbr0",
  devices: [],
  subnets: [{
    family: "ipv4",
    address: "10.0.0.1",
    prefix: 24,
    cidr: "10.0.0.0/24",
    dhcp: true,
    ranges: [],
    hosts: [],
  }],
  routes: [],
  dnsHosts: [],
  vlanTags: [],
  pending: [],
  vms: [],
  ...changes,
});

/** The parts of a machine that a forward is about. */
const vm = (changes: Partial<Pick<VM, "state" | "networkInterfaces">> = {}) =>
  ({
    id: "vm",
    name: "web",
    state: "running",
    networkInterfaces: [{ mac: MAC, type: "network", network: "lan", ipAddresses: [] }],
    ...changes,
  }) as unknown as VM;

const forward = (changes: Partial<StoredForward> = {}): StoredForward => ({
  id: "f",
  network: "lan",
  protocol: "tcp",
  hostAddress: undefined,
  hostPort: 8080,
  hostPortEnd: 8080,
  targetPort: 80,
  vmId: "vm",
  vmName: "web",
  mac: undefined,
  address: undefined,
  description: undefined,
  enabled: true,
  createdAt: 0,
  ...changes,
});

const facts = (changes: Partial<ForwardFacts> = {}): ForwardFacts => ({
  network: () => network(),
  vm: () => vm(),
  leases: () => [{ mac: MAC, address: "10.0.0.5", expires: 0 }],
  hasDevice: () => true,
  sockets: [],
  standing: new Set(),
  unavailable: undefined,
  ...changes,
});

const one = (stored: StoredForward, known: ForwardFacts) => planForwards([stored], known)[0]!;

Deno.test("planForwards() gives a rule to what leads somewhere", () => {
  assert.deepEqual(one(forward(), facts()), {
    id: "f",
    state: "active",
    rule: {
      id: "f",
      family: 4,
      protocol: "tcp",
      hostAddress: undefined,
      from: 8080,
      to: 8080,
      target: "10.0.0.5",
      targetFrom: 80,
      bridge: "virbr0",
      subnet: { address: "10.0.0.0", prefix: 24 },
    },
  });
});

Deno.test("planForwards() says of every other why not", () => {
  const socket = { protocol: "tcp", address: parseAddress("0.0.0.0")!, port: 8080, inode: "1" } as const;
  const cases: [string, string, StoredForward, ForwardFacts][] = [
    ["disabled", "", forward({ enabled: false }), facts()],
    ["unavailable", "install nftables", forward(), facts({ unavailable: "install nftables" })],
    ["lost", "the network lan is gone", forward(), facts({ network: () => undefined })],
    ["lost", "it is routed", forward(), facts({ network: () => network({ mode: "routed" }) })],
    ["lost", "the VM web is gone", forward(), facts({ vm: () => undefined })],
    ["lost", "no such card", forward(), facts({ vm: () => vm({ networkInterfaces: [] }) })],
    ["lost", "no such card", forward({ mac: OTHER }), facts()],
    ["lost", "10.9.9.9 is no address", forward({ vmId: undefined, address: "10.9.9.9" }), facts()],
    ["waiting", "is not active", forward(), facts({ network: () => network({ active: false }) })],
    ["waiting", "is not active", forward(), facts({ hasDevice: () => false })],
    ["waiting", "does not run", forward(), facts({ vm: () => vm({ state: "stopped" }) })],
    ["waiting", "not known yet", forward(), facts({ leases: () => [] })],
    ["conflict", "a program of the host has port 8080/tcp", forward(), facts({ sockets: [socket] })],
  ];
  for (const [state, reason, stored, known] of cases) {
    const planned = one(stored, known);
    assert.equal(planned.state, state, reason);
    assert.match(render(planned.reason), new RegExp(reason));
    assert.equal(planned.rule, undefined);
  }
  const standing = facts({ sockets: [socket], standing: new Set(["f"]) });
  assert.equal(
    one(forward(), standing).state,
    "active",
    "what is in force is not taken away by who comes later",
  );
});

Deno.test("planForwards() gives a port to the older of two, also while that one waits", () => {
  const [first, second] = planForwards(
    [forward({ id: "1", vmId: "off" }), forward({ id: "2" })],
    facts({ vm: (id) => vm({ state: id === "off" ? "stopped" : "running" }) }),
  );
  assert.equal(first!.state, "waiting");
  assert.equal(second!.state, "conflict");
  assert.match(render(second!.reason), /8080\/tcp leads to web/);
});

Deno.test("nicAddress() believes the network before the guest, and the guest only what no other VM has", () => {
  const nic = (...ipAddresses: string[]) => ({ mac: MAC, ipAddresses });
  const lease = (address: string, expires = 0, mac = MAC) => ({ mac, address, expires });
  const at = (known: Parameters<typeof nicAddress>[1], ...leases: ReturnType<typeof lease>[]) =>
    nicAddress(network(), known, leases, 4);
  assert.equal(at(nic("10.0.0.9/24"), lease("10.0.0.5")), "10.0.0.5");
  assert.equal(
    at(nic(), lease("10.0.0.5", 100), lease("10.0.0.6", 200)),
    "10.0.0.6",
    "the lease that ends last",
  );
  assert.equal(at(nic("10.0.0.9/24")), "10.0.0.9");
  assert.equal(at(nic("10.0.0.1/24")), undefined, "the host's own");
  assert.equal(at(nic("192.0.2.1/24", "fd00::1/64")), undefined, "outside the subnet");
  assert.equal(at(nic("10.0.0.7/24"), lease("10.0.0.7", 0, OTHER)), undefined, "another's lease");
  const kept = network({
    subnets: [{
      ...network().subnets[0]!,
      hosts: [{ ip: "10.0.0.7", mac: OTHER }, { ip: "10.0.0.8", mac: MAC }],
    }],
  });
  assert.equal(nicAddress(kept, nic("10.0.0.7/24"), [], 4), "10.0.0.8", "another's static lease");
  assert.equal(nicAddress(kept, nic(), [], 4), "10.0.0.8");
  assert.equal(nicAddress(kept, nic(), [], 6), undefined);
});

Deno.test("subnetFor() takes machines' addresses alone", () => {
  const fits = (ip: string) => subnetFor(network(), ip) !== undefined;
  assert.deepEqual(["10.0.0.2", "10.0.0.254"].map(fits), [true, true]);
  assert.deepEqual(
    ["10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.2", "::1", "x"].map(fits),
    Array(6).fill(false),
  );
});

Deno.test("notForwardable() takes NAT networks with a bridge nftables can name", () => {
  assert.equal(notForwardable(network()), undefined);
  assert.match(notForwardable(network({ bridge: "vir*" }))!, /no bridge/);
  const { bridge: _, ...without } = network();
  assert.match(notForwardable(without)!, /no bridge/);
  for (
    const mode of [
      "routed",
      "isolated",
      "open",
      "bridge",
      "macvtap",
      "openvswitch",
      "sriov",
      "other",
    ] as const
  ) {
    assert.notEqual(notForwardable(network({ mode })), undefined, mode);
  }
});

Deno.test("planForwards() opens a fixed address for who had it, and for no VM that has it later", () => {
  const fixed = (changes: Partial<StoredForward> = {}) =>
    forward({ vmId: undefined, vmName: undefined, address: "10.0.0.5", ...changes });
  const bound = fixed({ vmId: "vm", vmName: "web", mac: MAC });
  const lease = (mac: string) => () => [{ mac, address: "10.0.0.5", expires: 0 }];
  const reserved = (mac: string) => () => {
    const own = network();
    return { ...own, subnets: own.subnets.map((each) => ({ ...each, hosts: [{ mac, ip: "10.0.0.5" }] })) };
  };
  const rows: [state: string, reason: RegExp, stored: StoredForward, known: ForwardFacts][] = [
    ["active", /^$/, bound, facts({ leases: lease(MAC) })],
    ["active", /^$/, bound, facts({ leases: () => [] })],
    ["active", /^$/, fixed(), facts({ leases: () => [] })],
    [
      "lost",
      /the VM web, which had 10\.0\.0\.5, is gone/,
      bound,
      facts({ vm: () => undefined, leases: () => [] }),
    ],
    ["lost", /no such card/, bound, facts({ vm: () => vm({ networkInterfaces: [] }), leases: () => [] })],
    ["lost", /given 10\.0\.0\.5 to another card/, bound, facts({ leases: lease(OTHER) })],
    ["lost", /to another card/, fixed({ mac: MAC }), facts({ leases: lease(OTHER) })],
    ["lost", /to another card/, fixed(), facts({ leases: lease(OTHER) })],
    ["lost", /to another card/, fixed({ mac: MAC }), facts({ network: reserved(OTHER), leases: () => [] })],
  ];
  for (const [index, [state, reason, stored, known]] of rows.entries()) {
    const planned = one(stored, known);
    assert.equal(planned.state, state, `row ${index}`);
    assert.match(planned.reason === undefined ? "" : render(planned.reason), reason);
    assert.equal(planned.rule === undefined, state === "lost");
  }
});
