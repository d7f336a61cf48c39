/** How devices, networks and VMs are connected, from the live model and the kernel's sysfs. */
import type {
  Network,
  NetworkInterface,
  Topology,
  topologyCommands,
  TopologyDevice,
  TopologyNic,
  TopologyVm,
  VM,
} from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { hostLinks } from "./links.ts";
import { networksOf } from "./view.ts";

/** libvirt's type of a card → what it is plugged into. What is not named here leads to nothing we know of. */
const PLUGS: Readonly<Record<string, TopologyNic["to"]>> = {
  network: "network",
  bridge: "device",
  direct: "device",
  user: "user",
};

function nicOf({ mac, type, network, target, linkUp, ipAddresses }: NetworkInterface): TopologyNic {
  const to = PLUGS[type] ?? "nothing";
  return {
    mac,
    to,
    name: to === "network" || to === "device" ? network : "",
    ...(target !== undefined && { target }),
    linkUp,
    addresses: ipAddresses,
  };
}

function vmOf({ id, name, state, networkInterfaces }: VM): TopologyVm {
  return { vmId: id, name, state, nics: networkInterfaces.map(nicOf) };
}

/** Devices of the host a network leads to; those whose traffic is routed take the named way out, or the default one. */
function waysOf({ mode, bridge, devices, active }: Network, known: readonly TopologyDevice[]): string[] {
  if (mode === "bridge" || mode === "openvswitch") return bridge === undefined ? [] : [bridge];
  if (devices.length > 0) return devices;
  const routed = mode === "nat" || mode === "routed" || mode === "open";
  return routed && active
    ? known.filter(({ hasDefaultRoute }) => hasDefaultRoute).map(({ name }) => name)
    : [];
}

/** libvirt's own bridges are their networks; what is bridged into one besides VMs stays with it. */
function withOwners(links: readonly TopologyDevice[], networks: readonly Network[]): TopologyDevice[] {
  const owners = new Map(
    networks.filter(({ mode, active }) => active && mode !== "bridge" && mode !== "openvswitch")
      .flatMap(({ name, bridge }) => bridge === undefined ? [] : [[bridge, name]]),
  );
  const switches = new Set(
    networks.filter(({ mode }) => mode === "openvswitch").map(({ bridge }) => bridge),
  );
  return links.map((link) => {
    const network = owners.get(link.name);
    // Its device is but a port of the host's own: the switch carries frames whether that is up or not
    const isSwitch = switches.has(link.name);
    return {
      ...link,
      ...(isSwitch && { kind: "openvswitch" as const, up: true }),
      ...(network !== undefined && { network }),
    };
  });
}

async function topology(host: LibvirtHost): Promise<Topology> {
  host.requireFilled();
  const vms = host.inventory.vms().map(vmOf).sort((a, b) => a.name < b.name ? -1 : 1);
  const networks = networksOf(host);
  const { machine, link: { simulation } } = host;
  const ends = new Set(vms.flatMap(({ nics }) => nics.flatMap(({ target }) => target ?? [])));
  const links = machine === null ? simulation?.machine.networkDevices() : await hostLinks(machine, ends);
  const devices = withOwners(links ?? [], networks);
  return {
    devices,
    ...(links === undefined && {
      devicesUnavailable: "KVM Manager runs on another host than libvirt, and sees its own devices only",
    }),
    networks: networks.map((network) => ({
      name: network.name,
      active: network.active,
      mode: network.mode,
      ...(network.bridge !== undefined && { bridge: network.bridge }),
      over: waysOf(network, devices),
      addresses: network.subnets.map(({ address, prefix }) => `${address}/${prefix}`),
    })),
    vms,
  };
}

/** A handler for the command on the topology. */
export function topologyHandlers(host: LibvirtHost): Pick<Handlers, keyof typeof topologyCommands> {
  return { get_network_topology: () => topology(host) };
}
