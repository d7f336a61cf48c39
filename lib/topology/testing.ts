/** Topologies for tests: small ones that are written down, large ones that are made. */
import type { Topology, TopologyDevice, TopologyNetwork, TopologyVm } from "../contract/topology.ts";

export function aDevice(name: string, fields: Partial<TopologyDevice> = {}): TopologyDevice {
  return { name, kind: "physical", up: true, addresses: [], over: [], hasDefaultRoute: false, ...fields };
}

export function aNetwork(name: string, fields: Partial<TopologyNetwork> = {}): TopologyNetwork {
  return { name, active: true, mode: "nat", over: [], addresses: [], ...fields };
}

/** A VM with a card on each of the networks. */
export function aVm(
  name: string,
  networks: readonly string[],
  fields: Partial<TopologyVm> = {},
): TopologyVm {
  const nics = networks.map((network): TopologyVm["nics"][number] => ({
    mac: "52:54:00:00:00:01",
    to: "network",
    name: network,
    linkUp: true,
    addresses: [],
  }));
  return { vmId: `id-${name}`, name, state: "running", nics, ...fields };
}

/** A small lab: a bonded uplink with a bridge, a NAT network, an isolated one, five VMs. */
export const LAB: Topology = {
  devices: [
    aDevice("eth0", { hasDefaultRoute: true, addresses: ["192.0.2.2/24"], speedMbps: 10_000 }),
    aDevice("eth1"),
    aDevice("eth2"),
    aDevice("bond0", { kind: "bond", over: ["eth1", "eth2"] }),
    aDevice("bond0.5", { kind: "vlan", vlanId: 5, over: ["bond0"] }),
    aDevice("br5", { kind: "bridge", over: ["bond0.5", "vnet9"] }),
    aDevice("virbr0", { kind: "bridge", network: "default", over: ["vnet0"] }),
    aDevice("veth12", { kind: "port" }),
  ],
  networks: [
    aNetwork("default", { bridge: "virbr0", over: ["eth0"], addresses: ["192.168.122.1/24"] }),
    aNetwork("backend", { mode: "isolated", addresses: ["10.9.0.1/24"] }),
    aNetwork("office", { mode: "bridge", bridge: "br5", over: ["br5"] }),
  ],
  vms: [
    aVm("web-1", ["default", "backend"]),
    aVm("web-2", ["default", "backend"]),
    aVm("db", ["backend"]),
    aVm("desk", ["office"], { state: "stopped" }),
    aVm("lonely", []),
  ],
};

/** A host with many VMs on a few networks; some have two cards. */
export function manyMachines(count: number): Topology {
  const names = ["prod", "stage", "dev", "backup", "storage"];
  return {
    devices: [
      aDevice("eth0", { hasDefaultRoute: true }),
      aDevice("eth1"),
      aDevice("br0", { kind: "bridge", over: ["eth1"] }),
    ],
    networks: names.map((name, index) => aNetwork(name, { over: ["eth0"], active: index !== 3 })),
    vms: Array.from({ length: count }, (_, index) => {
      const own = names[index % names.length]!;
      return aVm(`vm-${index}`, index % 40 === 7 ? [own, "storage"] : [own], {
        state: index % 9 === 0 ? "stopped" : "running",
      });
    }),
  };
}
