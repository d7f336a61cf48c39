import assert from "node:assert/strict";
import { topologyLayout } from "./layout.ts";
import { LAB, manyMachines } from "./testing.ts";
import {
  type Direction,
  DIRECTIONS,
  foldId,
  isDirection,
  nextStop,
  relatives,
  type Stop,
  stopsOf,
} from "./walk.ts";

const lab = topologyLayout(LAB);
const stops = stopsOf(lab);
const stop = (id: string) => stops.find((each) => each.id === id)!;

Deno.test("nextStop() goes along a path and back", () => {
  const right = nextStop(stops, stop("network:office"), "ArrowRight")!;
  assert.equal(right.id, "vm:id-desk");
  assert.equal(nextStop(stops, right, "ArrowLeft")!.id, "network:office");
  assert.equal(nextStop(stops, stop("vm:id-desk"), "ArrowRight"), undefined);
});

Deno.test("nextStop() reaches everything by the arrow keys alone", () => {
  for (const picture of [lab, topologyLayout(manyMachines(200))]) {
    const all = stopsOf(picture);
    const reached = new Set<Stop>([all[0]!]);
    for (const from of reached) {
      for (const direction of Object.keys(DIRECTIONS) as Direction[]) {
        const next = nextStop(all, from, direction);
        if (next) reached.add(next);
      }
    }
    assert.deepEqual(all.filter((each) => !reached.has(each)).map(({ id }) => id), []);
  }
});

Deno.test("stopsOf() has the VMs of a group, and what folds it, instead of the group", () => {
  const picture = topologyLayout(manyMachines(200));
  const group = picture.nodes.find(({ fold }) => fold)!;
  const ids = stopsOf(picture).filter(({ node }) => node === group.node.id).map(({ id }) => id);
  assert.deepEqual(ids, [...group.chips.map(({ id }) => id), foldId(group.node.id)]);
});

Deno.test("relatives() are what leads to a node and what it leads to, not its neighbours", () => {
  assert.deepEqual(
    [...relatives(lab, "network:office")].sort(),
    [
      "device:bond0",
      "device:bond0.5",
      "device:br5",
      "device:eth1",
      "device:eth2",
      "network:office",
      "vm:id-desk",
    ],
  );
  assert.ok(!relatives(lab, "network:default").has("network:backend"));
});

Deno.test("isDirection() knows the arrow keys", () => {
  assert.ok(isDirection("ArrowUp"));
  assert.ok(!isDirection("Enter") && !isDirection("toString"));
});
