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
