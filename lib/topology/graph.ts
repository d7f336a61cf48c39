/** Topology as a graph: devices and networks in layers, and behind them the VMs, in groups. Pure. */
import type { Topology, TopologyDevice, TopologyNetwork, TopologyVm } from "../contract/topology.ts";

/** One thing of the picture, before it has a place. */
export type GraphNode =
  & { readonly id: string; readonly layer: number }
  & (
    /** `device` and `network` are undefined for what VMs name and does not exist. */
    | { readonly kind: "device"; readonly name: string; readonly device: TopologyDevice | undefined }
    | { readonly kind: "network"; readonly name: string; readonly network: TopologyNetwork | undefined }
    | { readonly kind: "user" }
    | { readonly kind: "vm"; readonly vm: TopologyVm }
    | { readonly kind: "group"; readonly vms: readonly TopologyVm[] }
  );

/** A connection, from the left to the right. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Whether traffic can pass: what it connects is up. */
  readonly live: boolean;
  /** Routed or translated by the host, not plugged in. */
  readonly routed: boolean;
}

export interface TopologyGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** VMs that are plugged in alike are drawn as one box when they are more than this. */
export const MOST_CARDS = 4;

const USER = "user:";
const collator = new Intl.Collator("en", { numeric: true });

/** Names as people sort them; the same order whatever it was before. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Kinds of devices that are worth a place of their own, whatever is on them. */
const ALWAYS = new Set<TopologyDevice["kind"]>(["physical", "bond", "vlan", "bridge", "openvswitch"]);
/** Modes in which the host passes packets on instead of frames. */
const ROUTED = new Set<TopologyNetwork["mode"]>(["nat", "routed", "open"]);

/** Devices that are drawn: libvirt's own bridges are their networks, and ends of other devices are left out. */
export function shownDevices({ devices, networks, vms }: Topology): TopologyDevice[] {
  const named = new Set([
    ...networks.flatMap(({ over }) => over),
    ...vms.flatMap(({ nics }) => nics.flatMap(({ to, name }) => to === "device" ? [name] : [])),
  ]);
  const carriers = new Set(devices.flatMap(({ over }) => over));
  return devices.filter(({ name, kind, network, addresses }) =>
    network === undefined &&
    (ALWAYS.has(kind) || named.has(name) || (kind !== "port" && (carriers.has(name) || addresses.length > 0)))
  ).sort((a, b) => compareNames(a.name, b.name));
}

/** Node that a VM's card is connected to; undefined: none. */
function plugOf(nic: TopologyVm["nics"][number], idOf: (device: string) => string): string | undefined {
  if (nic.to === "nothing") return undefined;
  if (nic.to === "user") return USER;
  return nic.to === "network" ? `network:${nic.name}` : idOf(nic.name);
}

/** Whether a VM's traffic gets as far as this: it runs, and its link is up. */
const isOn = ({ state, nics }: TopologyVm, id: string, idOf: (device: string) => string) =>
  state === "running" && nics.some((nic) => nic.linkUp && plugOf(nic, idOf) === id);

/** Longest way from the left; a circle, which no kernel allows, ends where it began. */
function layersOf(
  ids: readonly string[],
  edges: readonly GraphEdge[],
  least: (id: string) => number,
): Map<string, number> {
  const before = Map.groupBy(edges, ({ to }) => to);
  const found = new Map<string, number>();
  const layerOf = (id: string, path: ReadonlySet<string>): number => {
    const known = found.get(id);
    if (known !== undefined) return known;
    const through = new Set([...path, id]);
    const layers = (before.get(id) ?? []).filter(({ from }) => !through.has(from)).map(({ from }) =>
      layerOf(from, through) + 1
    );
    const layer = Math.max(least(id), ...layers);
    found.set(id, layer);
    return layer;
  };
  for (const id of ids) layerOf(id, new Set());
  return found;
}

/** The graph of a topology. The same topology in another order gives the same graph. */
export function graphOf(topology: Topology): TopologyGraph {
  const devices = shownDevices(topology);
  const networks = [...topology.networks].sort((a, b) => compareNames(a.name, b.name));
  const vms = [...topology.vms].sort((a, b) => compareNames(a.name, b.name) || compareNames(a.vmId, b.vmId));
  const owner = new Map(
    topology.devices.flatMap(({ name, network }) => network === undefined ? [] : [[name, network]]),
  );
  const idOf = (device: string) => {
    const network = owner.get(device);
    return network === undefined ? `device:${device}` : `network:${network}`;
  };

  const byId = new Map<string, TopologyDevice>(devices.map((device) => [`device:${device.name}`, device]));
  const networkById = new Map(networks.map((network) => [`network:${network.name}`, network]));
  const plugs = new Map(
    vms.map((vm) => [
      vm,
      [...new Set(vm.nics.flatMap((nic) => plugOf(nic, idOf) ?? []))].sort(),
    ]),
  );
  const used = new Set([...plugs.values()].flat());
  // What is named and not there is drawn as missing.
  const ids = [...new Set([...byId.keys(), ...networkById.keys(), ...[...used].sort(compareNames)])];
  const known = new Set(ids);
  const edges: GraphEdge[] = [];
  const drawn = new Set<string>();
  const connect = (from: string, to: string, live: boolean, routed = false) => {
    const key = JSON.stringify([from, to]);
    if (from === to || !known.has(from) || drawn.has(key)) return;
    drawn.add(key);
    edges.push({ from, to, live, routed });
  };
  const isUp = (id: string) => byId.get(id)?.up ?? networkById.get(id)?.active ?? id === USER;
  for (const device of [...topology.devices].sort((a, b) => compareNames(a.name, b.name))) {
    const to = idOf(device.name);
    if (known.has(to)) {
      for (const name of [...device.over].sort(compareNames)) {
        connect(idOf(name), to, device.up && isUp(idOf(name)));
      }
    }
  }
  for (const { name, active, mode, over } of networks) {
    for (const device of [...over].sort(compareNames)) {
      connect(idOf(device), `network:${name}`, active && isUp(idOf(device)), ROUTED.has(mode));
    }
  }
  if (used.has(USER)) {
    for (const { name, up, hasDefaultRoute } of devices) {
      if (hasDefaultRoute) connect(`device:${name}`, USER, up, true);
    }
  }

  const hasBase = devices.some(({ kind }) => kind === "physical");
  const startsRight = (id: string) => {
    const kind = byId.get(id)?.kind;
    return kind === undefined || kind === "bridge" || kind === "openvswitch";
  };
  const layers = layersOf(ids, edges, (id) => hasBase && startsRight(id) ? 1 : 0);
  const last = Math.max(-1, ...layers.values()) + 1;
  const place = ids.map((id): GraphNode => {
    const layer = layers.get(id)!;
    if (id === USER) return { id, layer, kind: "user" };
    const name = id.slice(id.indexOf(":") + 1);
    return id.startsWith("network:")
      ? { id, layer, kind: "network", name, network: networkById.get(id) }
      : { id, layer, kind: "device", name, device: byId.get(id) };
  });

  const groups = Map.groupBy(vms, (vm) => plugs.get(vm)!.map(encodeURIComponent).join("|"));
  const behind = [...groups].flatMap(([key, members]): GraphNode[] => {
    const own = members.length > MOST_CARDS
      ? [{ id: `group:${key}`, layer: last, kind: "group" as const, vms: members }]
      : members.map((vm) => ({
        id: `vm:${vm.vmId}`,
        layer: last,
        kind: "vm" as const,
        vm,
      }));
    for (const { id, ...node } of own) {
      const inside = node.kind === "group" ? node.vms : [node.vm];
      for (const plug of plugs.get(members[0]!)!) {
        connect(plug, id, isUp(plug) && inside.some((vm) => isOn(vm, plug, idOf)));
      }
    }
    return own;
  });
  const nodes = [...place, ...behind];
  const layerOf = new Map(nodes.map(({ id, layer }) => [id, layer]));
  return { nodes, edges: edges.filter(({ from, to }) => layerOf.get(from)! < layerOf.get(to)!) };
}
