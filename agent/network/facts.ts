/** Facts of the host for a new network: devices, routes, names and subnets of other networks. */
import type { Network } from "../../lib/contract/mod.ts";
import { formatAddress, parseSubnet } from "../../lib/formats/ip/cidr.ts";
import { isLinkLocal } from "../../lib/formats/ip/link_local.ts";
import type { HostNetworks, TakenSubnet } from "../../lib/network/check.ts";
import { routesV4, routesV6 } from "../../lib/network/routes.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { DEVICES } from "../machine/network_devices.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { networksOf } from "./view.ts";

/** The sockets of Open vSwitch's database, as packages place them. */
const OVS_SOCKETS = ["/run/openvswitch/db.sock", "/var/run/openvswitch/db.sock"];

/** A file's text; empty where the kernel has no such file (IPv6 may be off). */
export async function kernelFileText(machine: LocalMachine, path: string): Promise<string> {
  return await machine.kernelText(path) ?? "";
}

/** One network device of the host. Source: the kernel's sysfs. */
export interface HostNetworkDevice {
  readonly name: string;
  readonly bridge: boolean;
  readonly sriov: boolean;
}

/** The network devices of the machine we run on, by name. Source: the kernel's sysfs. */
export async function hostNetworkDevices(machine: LocalMachine): Promise<HostNetworkDevice[]> {
  return await Promise.all((await machine.networkDevices()).map(async (name) => ({
    name,
    bridge: await machine.isBridge(name),
    sriov: Number(await kernelFileText(machine, `${DEVICES}/${name}/device/sriov_totalvfs`)) > 0,
  })));
}

/** Subnets the host's own routes and addresses have. @param ownBridges devices of libvirt's networks: told by those */
async function hostSubnets(machine: LocalMachine, ownBridges: ReadonlySet<string>): Promise<TakenSubnet[]> {
  const [v4, v6] = await Promise.all([
    kernelFileText(machine, "/proc/net/route"),
    kernelFileText(machine, "/proc/net/ipv6_route"),
  ]);
  const routes = [...routesV4(v4), ...routesV6(v6)].filter(({ device }) => !ownBridges.has(device))
    .map(({ subnet, device }) => ({
      subnet,
      what: `a route of the host (${device})`,
      kind: "route" as const,
    }));
  const addresses = machine.addresses().flatMap(({ name, address, cidr }): TakenSubnet[] => {
    const subnet = parseSubnet(cidr);
    const isShared = name === "lo" || ownBridges.has(name) || isLinkLocal(address);
    return subnet === undefined || isShared
      ? []
      : [{ subnet, what: `the host's device ${name}`, kind: "device" }];
  });
  return [...routes, ...addresses];
}

/** Subnets of libvirt's networks and of their static routes. @param others selects the networks */
function networkSubnets(
  host: LibvirtHost,
  others: (network: { name: string; active: boolean }) => boolean,
): TakenSubnet[] {
  return networksOf(host).filter(others).flatMap(({ name, subnets, routes }) => [
    ...subnets.map(({ cidr }) => ({ cidr, what: `the network ${name}` })),
    ...routes.map((cidr) => ({ cidr, what: `a static route of the network ${name}` })),
  ]).flatMap(({ cidr, what }) => {
    const subnet = parseSubnet(cidr);
    return subnet === undefined ? [] : [{ subnet, what, kind: "network" }];
  });
}

/** Why the host has no Open vSwitch; undefined where it has. */
async function noOpenvswitch({ files }: LocalMachine): Promise<string | undefined> {
  for (const path of OVS_SOCKETS) if (await files.isThere(path)) return undefined;
  return "it does not run; install and start the package openvswitch-switch";
}

/** Bridges that libvirt makes for its networks; those of the host itself are none. */
function bridgesOf(networks: readonly Network[]): Set<string> {
  const own = networks.filter(({ mode }) => mode !== "bridge" && mode !== "openvswitch");
  return new Set(own.flatMap(({ bridge }) => bridge ?? []));
}

/** Everything a new network is checked against. */
export async function networkFacts(host: LibvirtHost): Promise<HostNetworks> {
  const networks = networksOf(host);
  const ownBridges = bridgesOf(networks);
  const names = new Set(networks.map(({ name }) => name));
  const taken = networkSubnets(host, () => true);
  const { machine } = host;
  if (machine === null) {
    return {
      names,
      taken,
      ownBridges,
      devices: undefined,
      bridges: undefined,
      sriov: undefined,
      noOpenvswitch: undefined,
    };
  }
  const [devices, ofHost, noOvs] = await Promise.all([
    hostNetworkDevices(machine),
    hostSubnets(machine, ownBridges),
    noOpenvswitch(machine),
  ]);
  const named = (fits: (device: HostNetworkDevice) => boolean) =>
    new Set(devices.filter(fits).map(({ name }) => name));
  return {
    names,
    taken: [...taken, ...ofHost],
    ownBridges,
    devices: named(() => true),
    bridges: named(({ bridge }) => bridge),
    sriov: named(({ sriov }) => sriov),
    noOpenvswitch: noOvs,
  };
}

/** Subnets that prevent the start of a network: those of running networks, and of the host. */
export async function otherTakenSubnets(host: LibvirtHost, name: string): Promise<TakenSubnet[]> {
  const running = networkSubnets(host, (network) => network.name !== name && network.active);
  if (host.machine === null) return running;
  return [...running, ...await hostSubnets(host.machine, bridgesOf(networksOf(host)))];
}

/** A unique local /64 with random bits (RFC 4193), as the host's address in it. */
export function randomIpv6(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(7));
  const value = bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0xfdn);
  return `${formatAddress({ family: 6, value: value << 64n | 1n })}/64`;
}
