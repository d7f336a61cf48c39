/** Topology of a host: its network devices, libvirt's networks and the VMs' cards, as one picture. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { NETWORK_MODES } from "./networks.ts";
import { NOTHING_IN, oneOf } from "./schema.ts";
import { VmState } from "./vm.ts";

/** Kinds of the host's network devices. `port`: an end of something else, such as a container's `veth`. */
export const DEVICE_KINDS = [
  "physical",
  "bond",
  "vlan",
  "bridge",
  "openvswitch",
  "macvlan",
  "port",
  "other",
] as const;
export type DeviceKind = typeof DEVICE_KINDS[number];

export const TopologyDevice = Type.Object({
  name: Type.String(),
  kind: oneOf(DEVICE_KINDS),
  up: Type.Boolean({ description: "it carries traffic, as far as the kernel tells" }),
  mac: Type.Optional(Type.String()),
  mtu: Type.Optional(Type.Integer()),
  speedMbps: Type.Optional(Type.Integer({ description: "absent where the device does not tell" })),
  vlanId: Type.Optional(Type.Integer()),
  addresses: Type.Array(Type.String({ description: "with prefix length" })),
  over: Type.Array(Type.String(), {
    description: "devices it stands on: a bridge's ports, a bond's members, a VLAN's carrier",
  }),
  hasDefaultRoute: Type.Boolean({ description: "a default route of the host leads through it" }),
  network: Type.Optional(Type.String({ description: "the libvirt network that made this bridge" })),
});
export type TopologyDevice = Static<typeof TopologyDevice>;

export const TopologyNetwork = Type.Object({
  name: Type.String(),
  active: Type.Boolean(),
  mode: oneOf([...NETWORK_MODES, "other"]),
  bridge: Type.Optional(Type.String()),
  over: Type.Array(Type.String(), { description: "devices of the host it leads to" }),
  addresses: Type.Array(Type.String({ description: "the host's own in it, with prefix length" })),
});
export type TopologyNetwork = Static<typeof TopologyNetwork>;

export const TopologyNic = Type.Object({
  mac: Type.String(),
  to: oneOf(["network", "device", "user", "nothing"], {
    description: "what it is plugged into; user: QEMU itself forwards its traffic",
  }),
  name: Type.String({ description: "of the network or device; empty for the others" }),
  target: Type.Optional(Type.String({ description: "its end on the host; running VMs only" })),
  linkUp: Type.Boolean(),
  addresses: Type.Array(Type.String()),
});
export type TopologyNic = Static<typeof TopologyNic>;

export const TopologyVm = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  state: VmState,
  nics: Type.Array(TopologyNic),
});
export type TopologyVm = Static<typeof TopologyVm>;

export const Topology = Type.Object({
  devices: Type.Array(TopologyDevice),
  devicesUnavailable: Type.Optional(
    Type.String({ description: "why the host's devices are not known; then the list is empty" }),
  ),
  networks: Type.Array(TopologyNetwork),
  vms: Type.Array(TopologyVm),
});
export type Topology = Static<typeof Topology>;

export const topologyCommands = {
  get_network_topology: command({
    summary: "Show how devices, networks and VMs are connected",
    description:
      "The host's interfaces, bridges, bonds and VLANs, libvirt's networks, and every VM's cards with " +
      "their addresses. From the live model and the kernel's sysfs: no question to libvirt.",
    role: "viewer",
    input: NOTHING_IN,
    output: Topology,
    errors: [],
    route: "GET /network-topology",
    cli: ["network", "topology"],
    readOnly: true,
  }),
};
