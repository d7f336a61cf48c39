/** In which order the nodes of each layer stand, so that few connections cross. Pure. */
import type { GraphEdge, TopologyGraph } from "./graph.ts";

/** A connection between neighbouring layers. Long ones are led through the layers between by bends. */
export interface LayerEdge {
  readonly from: string;
  readonly to: string;
}

export interface Layers {
  /** Ids from top to bottom, of each layer from the left. */
  readonly layers: readonly (readonly string[])[];
  readonly steps: readonly LayerEdge[];
  /** A connection → the ids it passes, its ends among them. */
  readonly paths: ReadonlyMap<GraphEdge, readonly string[]>;
}

/** How often the layers are gone through, forth and back. */
const SWEEPS = 8;

/** Whether an id is a bend of a long connection, which takes hardly any room. */
export const isBend = (id: string): boolean => id.startsWith("bend:");

/** Nodes by layer in the order they came, with a bend for every layer that a connection crosses. */
function withBends(
  { nodes, edges }: TopologyGraph,
): { layers: string[][]; steps: LayerEdge[]; paths: Layers["paths"] } {
  const layerOf = new Map(nodes.map(({ id, layer }) => [id, layer]));
  const depth = Math.max(-1, ...layerOf.values()) + 1;
  const layers = Array.from(
    { length: depth },
    (_, layer) => nodes.filter((node) => node.layer === layer).map(({ id }) => id),
  );
  const steps: LayerEdge[] = [];
  const paths = new Map<GraphEdge, readonly string[]>();
  for (const edge of edges) {
    const path = [edge.from];
    for (let layer = layerOf.get(edge.from)! + 1; layer < layerOf.get(edge.to)!; layer++) {
      const bend = `bend:${layer}:${edge.from}>${edge.to}`;
      layers[layer]!.push(bend);
      path.push(bend);
    }
    path.push(edge.to);
    for (let at = 1; at < path.length; at++) steps.push({ from: path[at - 1]!, to: path[at]! });
    paths.set(edge, path);
  }
  return { layers, steps, paths };
}

const indexOf = (layer: readonly string[]) => new Map(layer.map((id, index) => [id, index]));

/** How many pairs of connections between neighbouring layers cross. Source: Barth, Jünger, Mutzel (2002). */
export function crossings(layers: Layers["layers"], steps: readonly LayerEdge[]): number {
  let count = 0;
  for (let layer = 1; layer < layers.length; layer++) {
    const left = indexOf(layers[layer - 1]!), right = indexOf(layers[layer]!);
    const ends = steps.filter(({ from, to }) => left.has(from) && right.has(to))
      .map(({ from, to }) => [left.get(from)!, right.get(to)!] as const)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    // A binary indexed tree of the right ends so far: those below an end are crossed by it.
    const tree = new Array<number>(right.size + 1).fill(0);
    let seen = 0;
    for (const [, to] of ends) {
      let above = 0;
      for (let at = to + 1; at > 0; at -= at & -at) above += tree[at]!;
      count += seen - above;
      for (let at = to + 1; at < tree.length; at += at & -at) tree[at]!++;
      seen++;
    }
  }
  return count;
}

/**
 * A layer by the mean place of what its nodes are connected to; those without a connection stay where they are.
 *
 * @param ties 1: those with the same place keep their order; -1: they turn it, which gets out of dead ends
 */
function sorted(
  layer: readonly string[],
  placesOf: ReadonlyMap<string, readonly number[]>,
  ties: 1 | -1,
): string[] {
  const keyed = layer.map((id, index) => {
    const places = placesOf.get(id);
    return { id, index, mean: places && places.reduce((sum, each) => sum + each, 0) / places.length };
  });
  const connected = keyed.filter(({ mean }) => mean !== undefined)
    .sort((a, b) => a.mean! - b.mean! || ties * (a.index - b.index));
  return keyed.map(({ id, mean }) => mean === undefined ? id : connected.shift()!.id);
}

function neighbours(
  layer: readonly string[],
  steps: readonly LayerEdge[],
  mine: "from" | "to",
): Map<string, number[]> {
  const places = indexOf(layer);
  const found = new Map<string, number[]>();
  for (const step of steps) {
    const place = places.get(step[mine === "from" ? "to" : "from"]);
    if (place === undefined) continue;
    const of = found.get(step[mine]);
    if (of) of.push(place);
    else found.set(step[mine], [place]);
  }
  return found;
}

/**
 * Orders the layers by the means of their neighbours, forth and back; the best of all is taken. Source: Sugiyama,
 * Tagawa, Toda (1981).
 */
export function orderOf(graph: TopologyGraph): Layers {
  const { layers: first, steps, paths } = withBends(graph);
  let best = first, least = crossings(first, steps);
  for (const ties of [1, -1] as const) {
    const layers = [...first];
    for (let sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
      const forth = sweep % 2 === 0;
      for (let step = 1; step < layers.length; step++) {
        const at = forth ? step : layers.length - 1 - step;
        const adjacent = layers[forth ? at - 1 : at + 1]!;
        layers[at] = sorted(layers[at]!, neighbours(adjacent, steps, forth ? "to" : "from"), ties);
      }
      const count = crossings(layers, steps);
      if (count < least) [best, least] = [[...layers], count];
    }
  }
  return { layers: best, steps, paths };
}
