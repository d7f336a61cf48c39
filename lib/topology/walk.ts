/** Walking about in the picture: what can have the focus, what lies in a direction, what belongs together. Pure. */
import type { Box, Picture } from "./layout.ts";

/** Keys → directions. */
export const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
} as const;
export type Direction = keyof typeof DIRECTIONS;

export const isDirection = (key: string): key is Direction => Object.hasOwn(DIRECTIONS, key);

/** The id of what opens and closes a group. */
export const foldId = (group: string): string => `fold:${group}`;

/** Something that can have the focus. */
export interface Stop extends Box {
  readonly id: string;
  /** The node it is, or is a part of. */
  readonly node: string;
}

/** Everything that can have the focus, in the order it is drawn. */
export function stopsOf({ nodes }: Picture): Stop[] {
  return nodes.flatMap(({ node, chips, fold, x, y, width, height }): Stop[] =>
    node.kind !== "group" ? [{ id: node.id, node: node.id, x, y, width, height }] : [
      ...chips.map((chip) => ({ ...chip, node: node.id })),
      ...fold ? [{ ...fold, id: foldId(node.id), node: node.id }] : [],
    ]
  );
}

/** How much worse it is to lie aside than to lie far. */
const ASIDE = 3;

/** The nearest stop in a direction; undefined where there is none. */
export function nextStop(stops: readonly Stop[], from: Stop, direction: Direction): Stop | undefined {
  const [dx, dy] = DIRECTIONS[direction];
  const centre = ({ x, y, width, height }: Box) => [x + width / 2, y + height / 2] as const;
  const [x, y] = centre(from);
  let best: Stop | undefined, least = Infinity;
  for (const stop of stops) {
    const [toX, toY] = centre(stop);
    const ahead = (toX - x) * dx + (toY - y) * dy;
    const aside = Math.abs((toX - x) * dy) + Math.abs((toY - y) * dx);
    // Sideways columns count as ahead only once they begin behind our end.
    const beyond = dx === 0
      ? ahead > 0 && aside < Math.max(stop.width, from.width) / 2 + 1
      : ahead > from.width / 2;
    if (stop.id === from.id || !beyond) continue;
    const cost = ahead + ASIDE * aside;
    if (cost < least) [best, least] = [stop, cost];
  }
  return best;
}

/** A node with everything its traffic passes: all that leads to it, and all it leads to. */
export function relatives({ edges }: Picture, node: string): Set<string> {
  const found = new Set([node]);
  for (const [mine, theirs] of [["from", "to"], ["to", "from"]] as const) {
    const queue = [node];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const edge of edges) {
        if (edge[mine] !== at || found.has(edge[theirs])) continue;
        found.add(edge[theirs]);
        queue.push(edge[theirs]);
      }
    }
  }
  return found;
}
