/** The picture of a topology: every box, chip and line with its place. The same on the server and in the browser. Pure. */
import type { Topology, TopologyVm } from "../contract/topology.ts";
import { type GraphEdge, type GraphNode, graphOf } from "./graph.ts";
import { isBend, type LayerEdge, orderOf } from "./order.ts";
import { placed } from "./place.ts";

/** Sizes in pixels at the natural scale. */
export const SIZE = {
  margin: 16,
  /** Room for the columns' headings. */
  head: 28,
  column: 64,
  card: { width: 208, height: 52 },
  vm: { width: 220, height: 44 },
  chip: { width: 136, height: 28, gap: 6 },
  group: { padding: 10, head: 36, columns: 3, foot: 42 },
} as const;

/** A group with more VMs than this is folded, and shows so many as `FOLDED`. */
const FOLD_OVER = 12, FOLDED = 9;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A VM in a group's box. */
export interface Chip extends Box {
  readonly id: string;
  readonly vm: TopologyVm;
}

/** A thing with its place. Chips and `fold` are of groups alone; their places are the picture's. */
export interface PlacedNode extends Box {
  readonly node: GraphNode;
  readonly chips: readonly Chip[];
  /** Button that opens or closes the group; undefined if it has no members to fold. */
  readonly fold?: Box & { readonly open: boolean };
}

export interface PlacedEdge extends Pick<GraphEdge, "from" | "to" | "live" | "routed"> {
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A column's heading. */
export interface Heading {
  readonly x: number;
  readonly what: "uplinks" | "networks" | "vms";
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly headings: readonly Heading[];
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

type Open = ReadonlySet<string>;

const groupWidth = 2 * SIZE.group.padding + SIZE.group.columns * SIZE.chip.width +
  (SIZE.group.columns - 1) * SIZE.chip.gap;

function chipCount(vms: readonly TopologyVm[], isOpen: boolean): number {
  return vms.length > FOLD_OVER && !isOpen ? FOLDED : vms.length;
}

interface Dimensions {
  readonly width: number;
  readonly height: number;
  readonly anchor: number;
}

function dimensionsOf(node: GraphNode | undefined, open: Open): Dimensions {
  if (node === undefined) return { width: 0, height: 8, anchor: 4 };
  if (node.kind === "vm") return { ...SIZE.vm, anchor: SIZE.vm.height / 2 };
  if (node.kind !== "group") return { ...SIZE.card, anchor: SIZE.card.height / 2 };
  const { group, chip } = SIZE;
  const rows = Math.ceil(chipCount(node.vms, open.has(node.id)) / group.columns);
  const foot = node.vms.length > FOLD_OVER ? group.foot : group.padding;
  return {
    width: groupWidth,
    height: group.head + rows * (chip.height + chip.gap) - chip.gap + foot,
    // Next to its head, so that an open box of hundreds still has its network in sight.
    anchor: group.head / 2,
  };
}

function contentOf(node: GraphNode, box: Box, open: Open): Pick<PlacedNode, "chips" | "fold"> {
  if (node.kind !== "group") return { chips: [] };
  const { group, chip } = SIZE;
  const isOpen = open.has(node.id);
  const shown = node.vms.slice(0, chipCount(node.vms, isOpen));
  const chips = shown.map((vm, index): Chip => ({
    id: `vm:${vm.vmId}`,
    vm,
    x: box.x + group.padding + (index % group.columns) * (chip.width + chip.gap),
    y: box.y + group.head + Math.floor(index / group.columns) * (chip.height + chip.gap),
    width: chip.width,
    height: chip.height,
  }));
  if (node.vms.length <= FOLD_OVER) return { chips };
  const fold = {
    x: box.x + group.padding,
    y: box.y + box.height - group.foot + chip.gap,
    width: box.width - 2 * group.padding,
    height: group.foot - chip.gap - group.padding,
    open: isOpen,
  };
  return { chips, fold };
}

/** Room between two neighbours of a column: cards of VMs that belong together stand closer. */
function gapOf(above: GraphNode | undefined, below: GraphNode | undefined): number {
  if (above === undefined || below === undefined) return 10;
  return above.kind === "vm" && below.kind === "vm" ? 10 : 18;
}

/** Pixels of VMs above which a picture is no longer seen at once. */
const SCREEN = 560;

const least = (values: readonly number[]) => values.length === 0 ? undefined : Math.min(...values);
const mean = (values: readonly number[]) =>
  values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length;

/** Lays a topology out. @param open ids of the groups that show all their VMs */
export function topologyLayout(topology: Topology, open: Open = new Set()): Picture {
  const graph = graphOf(topology);
  const { layers, steps, paths } = orderOf(graph);
  const nodeOf = new Map(graph.nodes.map((node) => [node.id, node]));
  const sizes = new Map(layers.flat().map((id) => [id, dimensionsOf(nodeOf.get(id), open)]));
  const after = Map.groupBy(steps, ({ from }) => from), before = Map.groupBy(steps, ({ to }) => to);

  /** Offsets of the nodes' connections below their tops. */
  const anchors = new Map<string, number>();
  const tops = new Map<string, number>();
  const settle = (layer: readonly string[], wanted: (id: string) => number | undefined) => {
    const items = layer.map((id, index) => {
      const { height, anchor } = sizes.get(id)!;
      return {
        height,
        anchor,
        wanted: wanted(id),
        gap: gapOf(nodeOf.get(layer[index - 1]!), nodeOf.get(id)),
      };
    });
    placed(items).forEach((top, index) => {
      tops.set(layer[index]!, top);
      anchors.set(layer[index]!, top + items[index]!.anchor);
    });
  };
  // What is taller than a screen is read from its top: nodes stand next to the first they lead to, not in the middle.
  const heights = (layers.at(-1) ?? []).map((id) => sizes.get(id)!.height);
  const gather = heights.reduce((sum, each) => sum + each, 0) > SCREEN ? least : mean;
  const towards = (
    list: readonly LayerEdge[] | undefined,
    end: keyof LayerEdge,
    take: (values: readonly number[]) => number | undefined,
  ) => take((list ?? []).flatMap((step) => anchors.get(step[end]) ?? []));
  // From the VMs to the left, then the VMs by what they hang on, then once more.
  for (const layer of layers.toReversed()) settle(layer, (id) => towards(after.get(id), "to", mean));
  for (const layer of layers.slice(1)) {
    settle(layer, (id) => towards(before.get(id), "from", mean) ?? anchors.get(id));
  }
  for (const layer of layers.toReversed().slice(1)) {
    settle(
      layer,
      (id) =>
        towards(after.get(id), "to", gather) ?? towards(before.get(id), "from", gather) ?? anchors.get(id),
    );
  }

  const { margin, head, column } = SIZE;
  const up = margin + head - Math.min(...tops.values(), Infinity);
  const widths = layers.map((layer) => Math.max(0, ...layer.map((id) => sizes.get(id)!.width)));
  const lefts: number[] = [];
  widths.reduce((x, width) => (lefts.push(x), x + width + column), margin);
  const layerOf = new Map(layers.flatMap((layer, index) => layer.map((id) => [id, index] as const)));
  const boxOf = (id: string): Box => ({
    x: lefts[layerOf.get(id)!]!,
    y: Math.round(tops.get(id)! + up),
    width: isBend(id) ? widths[layerOf.get(id)!]! : sizes.get(id)!.width,
    height: sizes.get(id)!.height,
  });

  const nodes = layers.flat().flatMap((id): PlacedNode[] => {
    const node = nodeOf.get(id);
    if (node === undefined) return [];
    const box = boxOf(id);
    return [{ node, ...box, ...contentOf(node, box, open) }];
  });
  const edges = graph.edges.map((edge): PlacedEdge => {
    const path = paths.get(edge)!;
    const points = path.flatMap((id, index): [number, number][] => {
      const box = boxOf(id), y = box.y + sizes.get(id)!.anchor;
      const left: [number, number] = [box.x, y], right: [number, number] = [box.x + box.width, y];
      return index === 0 ? [right] : index === path.length - 1 ? [left] : [left, right];
    });
    return { from: edge.from, to: edge.to, live: edge.live, routed: edge.routed, points };
  });
  return {
    width: margin + Math.max(0, ...nodes.map(({ x, width }) => x + width)),
    height: margin + Math.max(head, ...nodes.map(({ y, height }) => y + height)),
    headings: headingsOf(layers, lefts, nodeOf),
    nodes,
    edges,
  };
}

function headingsOf(
  layers: readonly (readonly string[])[],
  lefts: readonly number[],
  nodeOf: ReadonlyMap<string, GraphNode>,
): Heading[] {
  const whatOf = (layer: number): Heading["what"] => {
    const first = layers[layer]!.map((id) => nodeOf.get(id)).find((node) => node !== undefined);
    if (first?.kind === "vm" || first?.kind === "group") return "vms";
    return layer === 0 && first?.kind === "device" && first.device?.kind === "physical"
      ? "uplinks"
      : "networks";
  };
  const all = lefts.slice(0, layers.length).map((x, layer) => ({ x, what: whatOf(layer) }));
  return all.filter(({ what }, index) => what !== all[index - 1]?.what);
}

/** A line through points as the data of an SVG path: level at every point. */
export function pathOf(points: PlacedEdge["points"]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let [x, y] = first;
  return `M${x} ${y}` + rest.map(([toX, toY]) => {
    const middle = Math.round((x + toX) / 2);
    const part = y === toY ? `H${toX}` : `C${middle} ${y} ${middle} ${toY} ${toX} ${toY}`;
    [x, y] = [toX, toY];
    return part;
  }).join("");
}
