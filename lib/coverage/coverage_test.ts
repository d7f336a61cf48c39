import assert from "node:assert/strict";
import { type Cover, coverChanges, coverFault, isCovered, leftOutOf, uncoveredIn } from "./coverage.ts";

const vm = (id: string, tags: string[] = [], group?: string) => ({
  id,
  tags,
  ...(group !== undefined && { group }),
});
const cover = (kind: Cover["kind"], name: string, targets: Partial<Cover["targets"]>): Cover => ({
  kind,
  name,
  targets: { vmIds: [], tags: [], groups: [], ...targets },
});
const names = {
  nameOf: (id: string) => id === "x" ? "web1" : undefined,
  isPool: (name: string) => name === "fast",
};

Deno.test("isCovered() goes by id, tag and group", () => {
  const { targets } = cover("backup", "b", { vmIds: ["a"], tags: ["gold"], groups: ["shop"] });
  const found = [vm("a"), vm("b", ["gold"]), vm("c", [], "shop"), vm("d", ["x"], "y")].map((each) =>
    isCovered(targets, each)
  );
  assert.deepEqual(found, [true, true, true, false]);
});

Deno.test("uncoveredIn() names what no VM is or has, a VM by its last name", () => {
  const { targets } = cover("backup", "b", {
    vmIds: ["a", "x", "y"],
    tags: ["gold", "t"],
    groups: ["shop", "g"],
    pools: ["fast", "p"],
  });
  assert.deepEqual(uncoveredIn(targets, [vm("a", ["gold"], "shop")], names), [
    ...["the VM web1 (x)", "the VM y", "the tag t", "the group g", "the storage pool p"],
  ]);
});

Deno.test("coverFault() says what is left out, what is not there, and who it cannot run as", () => {
  const backup = { ...cover("backup", "nightly", { tags: ["gold"], groups: ["shop"] }), leftOut: ["x"] };
  const text = coverFault(backup, [vm("x")], names);
  assert.equal(
    text,
    "The backup nightly leaves out web1, which it had at its last run, and names what is not there: " +
      "the tag gold, the group shop",
  );
  assert.equal(
    coverFault(cover("alert", "a", { groups: ["shop"] }), [vm("x", [], "shop")], names),
    undefined,
  );
  assert.match(
    coverFault({ ...cover("schedule", "s", {}), fault: "ann: that account is disabled" }, [], names) ?? "",
    /^The schedule s does not run: ann: that account is disabled$/,
  );
});

Deno.test("leftOutOf() keeps what was left out until it is had again, and forgets VMs that are gone", () => {
  const there = ["a", "b", "c"].map((id) => vm(id));
  assert.deepEqual(leftOutOf({}, [], there), []);
  assert.deepEqual(leftOutOf({ covered: ["a", "b"], leftOut: ["c"] }, [vm("a")], there), ["b", "c"]);
  assert.deepEqual(leftOutOf({ covered: ["a", "z"] }, [vm("a")], there), []);
});

Deno.test("coverChanges() says what ends, and what takes hold of the first VM of a name", () => {
  const all = [
    cover("backup", "nightly", { tags: ["gold"] }),
    cover("schedule", "office", { groups: ["shop"] }),
    cover("silence", "weekly", { groups: ["shop"] }),
    cover("user", "eve", { groups: ["shop"] }),
    cover("alert", "cpu", { vmIds: ["a"] }),
  ];
  const changes = (before: ReturnType<typeof vm>, after: ReturnType<typeof vm>, others = [vm("z")]) =>
    coverChanges(all, before, after, others);
  assert.deepEqual(changes(vm("a", ["gold"]), vm("a")), ["The backup nightly no longer copies it."]);
  assert.deepEqual(changes(vm("a", [], "shop"), vm("a")), [
    "The schedule office no longer takes it.",
    "The silence weekly no longer holds for it.",
  ]);
  assert.deepEqual(changes(vm("a"), vm("a", [], "shop")), [
    "No other VM is in the group shop. This goes by that name and holds for it from now on: the schedule office, " +
    "the silence weekly, the user eve.",
  ]);
  assert.deepEqual(
    coverChanges(all, vm("a", ["gold"]), vm("b"), [], ({ kind }) => kind === "user"),
    [
      "A backup that you may not see no longer copies it.",
      "An alert that you may not see no longer watches it.",
    ],
  );
  assert.deepEqual(changes(vm("a"), vm("a", [], "shop"), [vm("z", [], "shop")]), []);
  assert.deepEqual(changes(vm("a", ["gold"]), vm("a", ["gold", "new"])), []);
});
