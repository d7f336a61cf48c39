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
  const taken = new Set<string>();
  const node = (snapshot: Snapshot): SnapshotNode => {
    taken.add(snapshot.name);
    const own = byAge.filter(({ name, parent }) => parent === snapshot.name && !taken.has(name));
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
  const below = ({ children }: SnapshotNode): Snapshot[] =>
    children.flatMap((each) => [each.snapshot, ...below(each)]);
  const found = find(snapshotTree(snapshots));
  return found === undefined ? [] : below(found);
}
