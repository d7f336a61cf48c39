/** Snapshots as the tree that they are. Pure. */
import type { Snapshot } from "../contract/snapshots.ts";

/** A snapshot with those that came from it. */
export interface SnapshotNode {
  readonly snapshot: Snapshot;
  readonly children: readonly SnapshotNode[];
}

/** The roots of the tree, each level from old to new. What names a parent that is not there is a root; so is a ring's first. */
export function snapshotTree(snapshots: readonly Snapshot[]): SnapshotNode[] {
  const byAge = snapshots.toSorted((a, b) => a.createdAt - b.createdAt);
  const names = new Set(snapshots.map(({ name }) => name));
  const byParent = Map.groupBy(byAge, ({ parent }) => parent);
  const taken = new Set<string>();
  const node = (snapshot: Snapshot): SnapshotNode => {
    taken.add(snapshot.name);
    const own = (byParent.get(snapshot.name) ?? []).filter(({ name }) => !taken.has(name));
    return { snapshot, children: own.map(node) };
  };
  const roots = byAge.filter(({ parent }) => parent === undefined || !names.has(parent)).map(node);
  const rings = byAge.flatMap((each) => taken.has(each.name) ? [] : [node(each)]);
  return [...roots, ...rings];
}

/** A row of the tree as it is drawn, from top to bottom. */
export interface SnapshotRow {
  /** Null: what the VM is now. */
  readonly snapshot: Snapshot | null;
  /** Index of its line, from the left. Each line left of it goes on next to it. */
  readonly lane: number;
  /** Origin of its line: none, the former row on its own line, or a branch of the line left of it. */
  readonly from: "nowhere" | "line" | "branch";
  /** The snapshot it came from, where that is not the row above. */
  readonly parent?: string;
  /** Its line goes on below. */
  readonly goesOn: boolean;
}

/**
 * The tree as rows with lines next to them. Of what came from one snapshot the largest part goes on straight below it, and
 * is last; the others are branches before that. So a tree has few lines: ten for a thousand snapshots, whatever its form.
 */
export function snapshotRows(snapshots: readonly Snapshot[]): SnapshotRow[] {
  const sizes = new Map<SnapshotNode, number>();
  const measure = (node: SnapshotNode): number => {
    const size = node.children.reduce((sum, child) => sum + measure(child), 1);
    sizes.set(node, size);
    return size;
  };
  const rows: SnapshotRow[] = [];
  const draw = (
    { snapshot, children }: SnapshotNode,
    lane: number,
    from: SnapshotRow["from"],
    parent?: string,
  ): void => {
    const above = rows.at(-1)?.snapshot?.name;
    const isElsewhere = parent !== undefined && parent !== above;
    const goesOn = children.length > 0 || snapshot.current;
    rows.push({ snapshot, lane, from, goesOn, ...(isElsewhere && { parent }) });
    const { name } = snapshot, below = children.toSorted((a, b) => sizes.get(a)! - sizes.get(b)!);
    const last = below.at(-1);
    if (snapshot.current) {
      const isBranch = last !== undefined;
      rows.push({
        snapshot: null,
        lane: lane + Number(isBranch),
        goesOn: false,
        from: isBranch ? "branch" : "line",
      });
    }
    for (const child of below) {
      const isLast = child === last;
      draw(child, lane + Number(!isLast), isLast ? "line" : "branch", name);
    }
  };
  for (const root of snapshotTree(snapshots)) {
    measure(root);
    draw(root, 0, "nowhere");
  }
  return rows;
}

/** All that came from a snapshot, however far. */
export function descendants(snapshots: readonly Snapshot[], name: string): Snapshot[] {
  const find = (nodes: readonly SnapshotNode[]): SnapshotNode | undefined => {
    for (const node of nodes) {
      const found = node.snapshot.name === name ? node : find(node.children);
      if (found) return found;
    }
    return undefined;
  };
  // One list for all: of a chain, a list of each would be copied into the one above it.
  const below: Snapshot[] = [];
  const gather = ({ children }: SnapshotNode): void => {
    for (const each of children) {
      below.push(each.snapshot);
      gather(each);
    }
  };
  const found = find(snapshotTree(snapshots));
  if (found !== undefined) gather(found);
  return below;
}
