import assert from "node:assert/strict";
import fc from "fast-check";
import type { Topology } from "../contract/topology.ts";
import { graphOf } from "./graph.ts";
import { type Box, pathOf, type Picture, topologyLayout } from "./layout.ts";
import { crossings, isBend, orderOf } from "./order.ts";
import { aDevice, aNetwork, aVm, LAB, manyMachines } from "./testing.ts";

/** Any topology: devices on devices, networks on devices, VMs on whatever, also on what is not there. */
const anyTopology: fc.Arbitrary<Topology> = fc.record({
  devices: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("eth0", "eth1", "bond0", "br0", "br1", "virbr0", "dummy0"),
      kind: fc.constantFrom("physical", "bond", "bridge", "vlan", "other"),
      over: fc.subarray(["eth0", "eth1", "bond0", "br0", "br1"]),
      hasDefaultRoute: fc.boolean(),
    }),
    { selector: ({ name }) => name },
  ).map((all) => all.map(({ name, ...fields }) => aDevice(name, fields))),
  networks: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      over: fc.subarray(["eth0", "br0", "br1", "gone"]),
    }),
    { selector: ({ name }) => name },
  ).map((all) => all.map(({ name, over }) => aNetwork(name, { over }))),
  vms: fc.array(fc.subarray(["a", "b", "c", "d", "missing"]), { maxLength: 40 })
    .map((all) => all.map((networks, index) => aVm(`m${index}`, networks))),
});

const touch = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function assertClean(picture: Picture): void {
  const { nodes, edges, width, height } = picture;
  nodes.forEach((one, index) => {
    assert.ok(one.x >= 0 && one.y >= 0 && one.x + one.width <= width && one.y + one.height <= height);
    for (const other of nodes.slice(index + 1)) {
      assert.ok(!touch(one, other), `${one.node.id} ${other.node.id}`);
    }
    const inside = [...one.chips, ...one.fold ? [one.fold] : []];
    inside.forEach((chip, at) => {
      for (const other of inside.slice(at + 1)) assert.ok(!touch(chip, other));
      assert.ok(chip.x > one.x && chip.x + chip.width < one.x + one.width, "next to its group");
      assert.ok(chip.y > one.y && chip.y + chip.height < one.y + one.height, "above or below its group");
    });
  });
  const boxes = new Map(nodes.map((each) => [each.node.id, each]));
  for (const { from, to, points } of edges) {
    const start = boxes.get(from)!, end = boxes.get(to)!;
    assert.equal(points[0]![0], start.x + start.width);
    assert.equal(points.at(-1)![0], end.x);
    points.forEach(([x, y], index) => {
      const before = points[index - 1];
      assert.ok(before === undefined || x >= before[0], "to the left");
      // A long connection passes other columns between the boxes.
      const isLevel = before !== undefined && before[1] === y && index % 2 === 0;
      if (isLevel) {
        const line = { x: before[0], y, width: x - before[0], height: 0 };
        for (const box of nodes) assert.ok(!touch(line, box), `${from} → ${to} runs through ${box.node.id}`);
      }
    });
  }
}

/** The same in another order. */
function turned({ devices, networks, vms, ...rest }: Topology): Topology {
  return {
    ...rest,
    devices: devices.toReversed(),
    networks: networks.toReversed(),
    vms: vms.toReversed(),
  };
}

Deno.test("topologyLayout() lets nothing touch: 5 VMs, 200, 1000, and whatever else", () => {
  assertClean(topologyLayout(LAB));
  for (const count of [0, 1, 200, 1000]) {
    const topology = manyMachines(count);
    assertClean(topologyLayout(topology));
    const groups = graphOf(topology).nodes.filter(({ kind }) => kind === "group").map(({ id }) => id);
    assertClean(topologyLayout(topology, new Set(groups)));
  }
  fc.assert(fc.property(anyTopology, (topology) => assertClean(topologyLayout(topology))), { numRuns: 300 });
});

Deno.test("topologyLayout() gives the same picture whatever the order it is told in", () => {
  for (const topology of [LAB, manyMachines(200)]) {
    assert.deepEqual(topologyLayout(turned(topology)), topologyLayout(topology));
  }
  fc.assert(
    fc.property(
      anyTopology,
      (topology) => assert.deepEqual(topologyLayout(turned(topology)), topologyLayout(topology)),
    ),
  );
});

Deno.test("topologyLayout() keeps everything's place when a state changes", () => {
  const places = (topology: Topology) =>
    topologyLayout(topology).nodes.map(({ node, x, y }) => [node.id, x, y]);
  const topology = manyMachines(200);
  const changed = {
    ...topology,
    vms: topology.vms.map((each) => ({ ...each, state: "paused" as const })),
  };
  assert.deepEqual(places(changed), places(topology));
});

Deno.test("topologyLayout() goes from uplinks to VMs", () => {
  const { nodes, headings, edges } = topologyLayout(LAB);
  const x = (id: string) => nodes.find(({ node }) => node.id === id)!.x;
  const chain = [
    "device:eth1",
    "device:bond0",
    "device:bond0.5",
    "device:br5",
    "network:office",
    "vm:id-desk",
  ];
  chain.reduce((left, right) => {
    assert.ok(x(left) < x(right), `${left} is left of ${right}`);
    assert.ok(edges.some(({ from, to }) => from === left && to === right), `${left} → ${right}`);
    return right;
  });
  assert.deepEqual(headings.map(({ what }) => what), ["uplinks", "networks", "vms"]);
  const ids = nodes.map(({ node }) => node.id);
  assert.ok(
    !ids.includes("device:virbr0") && !ids.includes("device:veth12"),
    "parts of other things are drawn",
  );
});

Deno.test("topologyLayout() folds what is many, and opens it when asked", () => {
  const topology = manyMachines(200);
  const folded = topologyLayout(topology);
  const group = folded.nodes.find(({ node }) => node.kind === "group" && node.vms.length > 12)!;
  assert.equal(group.chips.length, 9);
  assert.equal(group.fold!.open, false);
  const open = topologyLayout(topology, new Set([group.node.id])).nodes.find(({ node }) =>
    node.id === group.node.id
  )!;
  assert.equal(open.chips.length, group.node.kind === "group" ? group.node.vms.length : 0);
  assert.equal(open.fold!.open, true);
  assert.ok(folded.height < 1600, `${folded.height} pixels are too many to look at`);
});

Deno.test("orderOf() crosses no lines where none need cross, and never more than the order of names", () => {
  const topology: Topology = {
    devices: [],
    networks: ["a", "b", "c", "d"].map((name) => aNetwork(name)),
    vms: [["d"], ["c"], ["b"], ["a"], ["a", "c"]].map((nets, index) => aVm(`m${index}`, nets)),
  };
  const { layers, steps } = orderOf(graphOf(topology));
  assert.equal(crossings(layers, steps), 0);
  const many = graphOf(manyMachines(200));
  const found = orderOf(many);
  const byName = found.layers.map((layer, index) => [
    ...many.nodes.filter((node) => node.layer === index).map(({ id }) => id),
    ...layer.filter(isBend),
  ]);
  const [ours, theirs] = [found.layers, byName].map((each) => crossings(each, found.steps));
  assert.ok(ours! <= theirs! / 2, `${ours} crossings instead of ${theirs}`);
});

Deno.test("crossings() counts pairs", () => {
  const step = (from: string, to: string) => ({ from, to });
  const layers = [["a", "b", "c"], ["x", "y", "z"]];
  assert.equal(crossings(layers, [step("a", "x"), step("b", "y"), step("c", "z")]), 0);
  assert.equal(crossings(layers, [step("a", "z"), step("b", "y"), step("c", "x")]), 3);
  assert.equal(crossings(layers, [step("a", "x"), step("a", "y"), step("b", "x"), step("b", "y")]), 1);
});

Deno.test("graphOf() draws what VMs name and does not exist, once", () => {
  const vms = [aVm("a", ["gone"]), aVm("b", ["gone"])];
  const { nodes, edges } = graphOf({ devices: [], networks: [], vms });
  const [missing] = nodes.filter(({ kind }) => kind === "network");
  assert.deepEqual(missing, {
    id: "network:gone",
    layer: 0,
    kind: "network",
    name: "gone",
    network: undefined,
  });
  assert.deepEqual(edges.map(({ from, live }) => [from, live]), [["network:gone", false], [
    "network:gone",
    false,
  ]]);
});

Deno.test("graphOf() survives a circle of devices", () => {
  const devices = [aDevice("a", { over: ["b"] }), aDevice("b", { over: ["a"] })];
  assert.equal(graphOf({ devices, networks: [], vms: [] }).nodes.length, 2);
  assertClean(topologyLayout({ devices, networks: [], vms: [] }));
});

Deno.test("pathOf() is level at both ends", () => {
  assert.equal(pathOf([[0, 0], [10, 20]]), "M0 0C5 0 5 20 10 20");
  assert.equal(pathOf([[0, 5], [10, 5]]), "M0 5H10");
  assert.equal(pathOf([]), "");
});
