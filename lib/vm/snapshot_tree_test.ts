import assert from "node:assert/strict";
import type { Snapshot } from "../contract/snapshots.ts";
import { descendants, type SnapshotNode, snapshotRows, snapshotTree } from "./snapshot_tree.ts";

const of = (name: string, createdAt: number, parent?: string): Snapshot => ({
  name,
  createdAt,
  description: "",
  current: false,
  state: "running",
  memory: true,
  external: false,
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

/** `| o name` for each row, as `git log --graph` draws it, with the parent where it is told. */
const drawn = (snapshots: readonly Snapshot[]) =>
  snapshotRows(snapshots).map(({ snapshot, lane, from, parent, goesOn }) =>
    "| ".repeat(Math.max(0, lane - Number(from === "branch"))) + (from === "branch" ? "|-" : "") +
    (from === "nowhere" ? "O" : goesOn ? "o" : ".") + ` ${snapshot?.name ?? "NOW"}` +
    (parent === undefined ? "" : ` < ${parent}`)
  );

Deno.test("snapshotRows() draws which came from which, and what the VM is now", () => {
  assert.deepEqual(
    drawn([
      ...[of("fresh", 1), of("before", 2, "fresh"), { ...of("postgres", 3, "before"), current: true }],
      ...[of("tried", 4, "before"), of("tuned", 5, "tried"), of("other", 6)],
    ]),
    ["O fresh", "o before", "|-o postgres", "| . NOW", "o tried < before", ". tuned", "O other"],
  );
  assert.deepEqual(
    drawn([{ ...of("a", 1), current: true }, of("b", 2, "a"), of("c", 3, "a"), of("d", 4, "c")]),
    ["O a", "|-. NOW", "|-. b < a", "o c < a", ". d"],
  );
});

Deno.test("snapshotRows() has few lines for a thousand snapshots, whatever came from which", () => {
  const parents: Record<string, (index: number) => number> = {
    chain: (index) => index - 1,
    bush: () => 0,
    zigzag: (index) => index % 2 ? index - 1 : index - 2,
    binary: (index) => Math.floor((index - 1) / 2),
    "twigs before the trunk": (index) => index % 2 ? Math.max(0, index - 2) : index - 1,
  };
  for (const [form, parentOf] of Object.entries(parents)) {
    const all = Array.from(
      { length: 1000 },
      (_, index) => of(`s${index}`, index, index === 0 ? undefined : `s${parentOf(index)}`),
    );
    const rows = snapshotRows(all);
    assert.equal(new Set(rows.map(({ snapshot }) => snapshot!.name)).size, 1000, form);
    assert.ok(Math.max(...rows.map(({ lane }) => lane)) <= 9, form);
  }
});
