import assert from "node:assert/strict";
import type { Snapshot } from "../contract/snapshots.ts";
import { descendants, type SnapshotNode, snapshotTree } from "./snapshot_tree.ts";

const of = (name: string, createdAt: number, parent?: string): Snapshot => ({
  ...{ name, createdAt, description: "", current: false, state: "running", memory: true, external: false },
  ...(parent !== undefined && { parent }),
});
type Shape = Readonly<Record<string, unknown>>;
const shape = (nodes: readonly SnapshotNode[]): Shape =>
  Object.fromEntries(nodes.map(({ snapshot, children }) => [snapshot.name, shape(children)]));

const FAMILY = [of("c", 3, "a"), of("a", 1), of("d", 4, "c"), of("b", 2, "a")];

Deno.test("snapshotTree() has each below its parent, from old to new", () => {
  assert.equal(JSON.stringify(shape(snapshotTree(FAMILY))), '{"a":{"b":{},"c":{"d":{}}}}');
});

Deno.test("snapshotTree() loses none, also where parents are gone or go in a ring", () => {
  assert.equal(JSON.stringify(shape(snapshotTree([of("b", 2, "gone"), of("a", 3)]))), '{"b":{},"a":{}}');
  assert.equal(
    JSON.stringify(shape(snapshotTree([of("a", 1, "b"), of("b", 2, "a"), of("self", 3, "self")]))),
    '{"a":{"b":{}},"self":{}}',
  );
});

Deno.test("descendants() are all that came from one", () => {
  const names = (name: string) => descendants(FAMILY, name).map((each) => each.name);
  assert.deepEqual([names("a"), names("c"), names("d"), names("none")], [["b", "c", "d"], ["d"], [], []]);
});
