import assert from "node:assert/strict";
import fc from "fast-check";
import { adviseBalance, type BalanceVm, UNEVEN } from "./balance.ts";
import { type DrainChoice, type DrainInput, type DrainStep, type DrainVm, planDrain } from "./drain.ts";
import type { HostRoom } from "./room.ts";
import { brokenRules, type PlacedVm, type PlacementRule, rulesAgainst, togetherGroups } from "./rules.ts";

const HOSTS = ["a", "b", "c"] as const, TAGS = ["web", "db", "big"] as const;
const NOTHING: ReadonlyMap<string, number> = new Map();

const rule = (
  name: string,
  kind: PlacementRule["kind"],
  targets: Partial<PlacementRule["targets"]>,
  ...hosts: string[]
): PlacementRule => ({
  id: name,
  name,
  kind,
  targets: { vmIds: [], tags: [], groups: [], ...targets },
  hosts,
});
const room = (id: string, memoryFreeMb: number, more: Partial<HostRoom> = {}): HostRoom => ({
  id,
  label: id,
  memoryTotalMb: 16_384,
  memoryFreeMb,
  cpuThreads: 8,
  cpuUsed: 0,
  pools: {},
  ...more,
});
const vm = (id: string, memoryMb: number, ...tags: string[]): DrainVm => ({
  id,
  name: id,
  tags,
  memoryMb,
  isActive: true,
  cpuUsed: 0,
});
const input = (given: Partial<DrainInput> & Pick<DrainInput, "vms" | "hosts">): DrainInput => ({
  from: "here",
  others: [],
  rules: [],
  choices: new Map(),
  off: "leave",
  breakRules: false,
  fit: () => undefined,
  ...given,
});
const brief = (steps: readonly DrainStep[]) =>
  steps.map(({ vmId, action, toHost, obstacles }) =>
    [
      vmId,
      action,
      ...toHost === undefined ? [] : [toHost],
      ...obstacles.map(({ kind, host }) => `${kind} ${host}`),
    ]
      .join(" ")
  );

Deno.test("the largest go first, each to the host that is left with the most room", () => {
  const vms = [vm("s", 1024), vm("l", 8192), vm("m", 4096)];
  const steps = planDrain(input({ vms, hosts: [room("a", 9000), room("b", 8500)] }));
  assert.deepEqual(brief(steps), ["s move b", "l move a", "m move b"]);
});

Deno.test("what does not fit stays, and why is said host by host", () => {
  const fit = (_vm: string, host: string) =>
    host === "b" ? { problem: "no network lan", bytes: NOTHING } : { bytes: new Map([["images", 50]]) };
  const hosts = [
    room("a", 512, { pools: { images: 100 } }),
    room("b", 9000),
    room("c", 4000, { pools: { images: 10 } }),
  ];
  const steps = planDrain(input({ vms: [vm("x", 1024)], hosts, fit }));
  assert.deepEqual(brief(steps), ["x leave memory a problem b pool c"]);
});

Deno.test("off: left, unless it is to move; what cannot move has its hindrance; choices win", () => {
  const off = { ...vm("off", 0), isActive: false },
    held = { ...vm("held", 512), hindrance: "it is transient" };
  const hosts = [room("a", 9000), room("b", 4000)];
  const choices = new Map<string, DrainChoice>([["x", { action: "move", toHost: "b" }], ["y", {
    action: "shutdown",
  }]]);
  const vms = [off, held, vm("x", 100), vm("y", 100)];
  const steps = planDrain(input({ vms, hosts, choices }));
  assert.deepEqual(brief(steps), ["off leave", "held leave", "x move b", "y shutdown"]);
  assert.equal(steps[1]?.hindrance, "it is transient");
  assert.deepEqual(brief(planDrain(input({ vms: [off], hosts, off: "move" }))), ["off move a"]);
});

Deno.test("together go together or stay; apart go apart; a rule is broken only where that is allowed", () => {
  const hosts = [room("a", 3000), room("b", 2500)];
  const pair = [vm("w1", 1000, "web"), vm("w2", 1000, "web")];
  const together = [rule("t", "together", { tags: ["web"] })];
  assert.deepEqual(brief(planDrain(input({ vms: pair, hosts, rules: together }))), [
    "w1 move a",
    "w2 move a",
  ]);
  const small = [room("a", 1500), room("b", 1500)];
  assert.deepEqual(
    brief(planDrain(input({ vms: pair, hosts: small, rules: together }))),
    ["w1 leave memory a memory b", "w2 leave memory a memory b"],
  );
  const apart = planDrain(input({ vms: pair, hosts: small, rules: together, breakRules: true }));
  assert.deepEqual(brief(apart), ["w1 move a", "w2 move b"]);
  const rules = [rule("p", "apart", { tags: ["web"] })];
  assert.deepEqual(brief(planDrain(input({ vms: pair, hosts, rules }))), ["w1 move a", "w2 move b"]);
  const others: PlacedVm[] = [{ id: "w0", name: "w0", tags: ["web"], host: "a" }];
  const steps = planDrain(input({ vms: pair, hosts, rules, others }));
  assert.deepEqual(brief(steps), ["w1 move b", "w2 leave rule a rule b"]);
  const broken = planDrain(input({ vms: pair, hosts, rules, others, breakRules: true }));
  assert.deepEqual(broken.map(({ broken }) => broken), [[], ["p"]]);
  const chosen = new Map<string, DrainChoice>([["w1", { action: "move", toHost: "a" }], ["w2", {
    action: "move",
    toHost: "b",
  }]]);
  const split = planDrain(input({ vms: pair, hosts, rules: together, choices: chosen }));
  assert.deepEqual(brief(split), ["w1 leave rule a", "w2 leave rule a"]);
});

Deno.test("rules: what goes against them on a host, and which VMs go together", () => {
  const vms: PlacedVm[] = [
    { id: "1", name: "1", tags: ["web"], host: "a" },
    { id: "2", name: "2", tags: ["web"], host: "b" },
    { id: "3", name: "3", tags: [], group: "g", host: "b" },
  ];
  const rules = [
    rule("t", "together", { tags: ["web"] }),
    rule("on", "on", { groups: ["g"] }, "a"),
    rule("not", "not-on", { vmIds: ["1"] }, "b"),
  ];
  assert.deepEqual(
    brokenRules(rules, vms).map(({ rule, vms }) => [rule.name, vms.map(({ id }) => id)]),
    [["t", ["2"]], ["on", ["3"]]],
  );
  const against = (id: string, host: string) =>
    rulesAgainst(rules, vms.find((each) => each.id === id)!, host, vms).map(({ name }) => name);
  assert.deepEqual(against("1", "b"), ["not"]);
  assert.deepEqual(against("2", "a"), []);
  assert.deepEqual(against("2", "c"), ["t"]);
  assert.deepEqual(against("3", "a"), []);
  const both = [rules[0]!, rule("u", "together", { vmIds: ["2", "3"] })];
  assert.deepEqual(togetherGroups(both, vms), [["1", "2", "3"]]);
  assert.deepEqual(togetherGroups([], vms), [["1"], ["2"], ["3"]]);
});

const tags = fc.subarray([...TAGS]);
const targets = fc.record({ vmIds: fc.subarray(["v0", "v1", "v2", "v3"]), tags, groups: fc.constant([]) });
const someRules = fc.array(
  fc.record({
    kind: fc.constantFrom("together", "apart", "on", "not-on"),
    targets,
    hosts: fc.subarray([...HOSTS], { minLength: 1 }),
  }),
  { maxLength: 4 },
).map((all) =>
  all.map(({ kind, targets, hosts }, at): PlacementRule => ({
    id: `r${at}`,
    name: `r${at}`,
    targets,
    kind: kind as PlacementRule["kind"],
    hosts: kind === "on" || kind === "not-on" ? hosts : [],
  }))
);
const someRooms = fc.array(
  fc.record({ free: fc.integer({ min: 0, max: 8192 }), cpuUsed: fc.integer({ min: 0, max: 8 }) }),
  {
    minLength: 1,
    maxLength: 3,
  },
).map((all) =>
  all.map(({ free, cpuUsed }, at) => room(HOSTS[at]!, free, { cpuUsed, pools: { images: free * 2 } }))
);
const someVms = fc.array(
  fc.record({ memoryMb: fc.integer({ min: 0, max: 4096 }), tags, isActive: fc.boolean() }),
  { maxLength: 8 },
).map((all) =>
  all.map(({ memoryMb, tags, isActive }, at): DrainVm => ({
    id: `v${at}`,
    name: `v${at}`,
    tags,
    isActive,
    memoryMb: isActive ? memoryMb : 0,
    cpuUsed: 0,
  }))
);
const someOthers = fc.array(fc.record({ tags, host: fc.constantFrom(...HOSTS) }), { maxLength: 4 }).map((
  all,
) => all.map((each, at): PlacedVm => ({ id: `o${at}`, name: `o${at}`, ...each })));
const drains = fc.record({
  vms: someVms,
  hosts: someRooms,
  others: someOthers,
  rules: someRules,
  chosen: fc.array(
    fc.record({
      action: fc.constantFrom("move", "shutdown", "leave"),
      toHost: fc.option(fc.constantFrom(...HOSTS), { nil: undefined }),
    }),
  ),
  off: fc.constantFrom("move", "leave"),
  bytes: fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 8, maxLength: 8 }),
  bad: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
}).map(({ vms, hosts, others, rules, chosen, off, bytes, bad }) =>
  input({
    vms,
    hosts,
    rules,
    off: off as "move" | "leave",
    others: others.filter(({ host }) => hosts.some(({ id }) => id === host)),
    choices: new Map(chosen.map((choice, at) => [`v${at}`, choice as DrainChoice])),
    fit: (vmId, hostId) => {
      const at = Number(vmId.slice(1));
      return {
        bytes: new Map([["images", bytes[at]!]]),
        ...(bad[at] && hostId === "a" && { problem: "no" }),
      };
    },
  })
);

/** The VMs of all hosts once a plan was carried out. */
const after = ({ vms, others, from }: DrainInput, steps: readonly DrainStep[]): PlacedVm[] => [
  ...others,
  ...vms.map((each) => ({ ...each, host: steps.find(({ vmId }) => vmId === each.id)!.toHost ?? from })),
];

Deno.test("property: no plan puts more on a host than it has, or a VM where it cannot run", () => {
  fc.assert(fc.property(drains, (given) => {
    const steps = planDrain(given);
    assert.deepEqual(steps.map(({ vmId }) => vmId), given.vms.map(({ id }) => id));
    for (const { id, memoryFreeMb, pools } of given.hosts) {
      const come = steps.filter(({ toHost }) => toHost === id).map(({ vmId }) =>
        given.vms.find((each) => each.id === vmId)!
      );
      assert.ok(come.reduce((sum, { memoryMb }) => sum + memoryMb, 0) <= memoryFreeMb);
      const bytes = come.reduce((sum, each) => sum + given.fit(each.id, id)!.bytes.get("images")!, 0);
      assert.ok(come.length === 0 || bytes <= pools.images!);
      assert.ok(come.every((each) => given.fit(each.id, id)!.problem === undefined));
    }
    for (const { vmId, action, toHost } of steps) {
      const choice = given.choices.get(vmId);
      assert.equal(action === "move", toHost !== undefined);
      if (choice?.action === "leave" || choice?.action === "shutdown") assert.notEqual(action, "move");
      if (action === "move" && choice?.toHost !== undefined) assert.equal(toHost, choice.toHost);
    }
  }));
});

Deno.test("property: no plan breaks a rule that held", () => {
  fc.assert(fc.property(drains, (given) => {
    const before = [...given.others, ...given.vms.map((each) => ({ ...each, host: given.from }))];
    const wasBroken = new Set(brokenRules(given.rules, before).map(({ rule }) => rule.id));
    const steps = planDrain(given);
    const broken = brokenRules(given.rules, after(given, steps)).map(({ rule }) => rule.id);
    assert.deepEqual(broken.filter((id) => !wasBroken.has(id)), []);
    assert.ok(steps.every((step) => step.broken.length === 0));
  }));
});

Deno.test("property: the same hosts and VMs in another order give the same plan, and one that was carried out nothing more", () => {
  fc.assert(fc.property(drains, fc.func(fc.integer()), (given, mixed) => {
    const shuffle = <T extends { id: string }>(all: readonly T[]) =>
      all.toSorted((a, b) => mixed(a.id) - mixed(b.id) || (a.id < b.id ? 1 : -1));
    const byId = (steps: readonly DrainStep[]) =>
      brief(steps.toSorted((a, b) => a.vmId < b.vmId ? -1 : 1)).map((each) => each.split(" ").slice(0, 3));
    const plan = planDrain(given);
    const other = planDrain({
      ...given,
      vms: shuffle(given.vms),
      hosts: shuffle(given.hosts),
      others: shuffle(given.others),
    });
    const moves = (steps: readonly DrainStep[]) => byId(steps).filter(([, action]) => action === "move");
    assert.deepEqual(moves(other), moves(plan));
    const moved = new Set(plan.filter(({ action }) => action === "move").map(({ vmId }) => vmId));
    const rooms = given.hosts.map((host) => {
      const come = plan.filter(({ toHost }) => toHost === host.id).map(({ vmId }) =>
        given.vms.find(({ id }) => id === vmId)!
      );
      return {
        ...host,
        memoryFreeMb: host.memoryFreeMb - come.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
      };
    });
    const again = planDrain({
      ...given,
      hosts: rooms,
      vms: given.vms.filter(({ id }) => !moved.has(id)),
      others: after(given, plan).filter(({ host }) => host !== given.from),
    });
    assert.ok(again.every(({ vmId }) => !moved.has(vmId)));
  }));
});

const balances = fc.record({
  frees: fc.array(fc.integer({ min: 0, max: 8192 }), { minLength: 2, maxLength: 3 }),
  vms: fc.array(
    fc.record({
      memoryMb: fc.integer({ min: 0, max: 4096 }),
      tags,
      host: fc.constantFrom(...HOSTS),
      isMovable: fc.boolean(),
    }),
    { maxLength: 8 },
  ),
  rules: someRules,
}).map(({ frees, vms, rules }) => {
  const ids = frees.map((_free, at) => HOSTS[at] as string);
  const placed = vms.map((each, at): BalanceVm => ({ id: `v${at}`, name: `v${at}`, cpuUsed: 0, ...each }))
    .filter(({ host }) => ids.includes(host));
  const used = (host: string) =>
    placed.filter((each) => each.host === host).reduce((sum, { memoryMb }) => sum + memoryMb, 0);
  const hosts = frees.map((free, at) => room(ids[at]!, free, { memoryTotalMb: free + used(ids[at]!) + 1 }));
  return { hosts, vms: placed, rules, from: new Set(ids) };
});

Deno.test("property: advice fits, breaks no rule, and makes the fuller host less full", () => {
  fc.assert(fc.property(balances, (given) => {
    const advice = adviseBalance(given),
      free = new Map(given.hosts.map(({ id, memoryFreeMb }) => [id, memoryFreeMb]));
    const vms = new Map(given.vms.map((each) => [each.id, each]));
    const broken = () => new Set(brokenRules(given.rules, [...vms.values()]).map(({ rule }) => rule.id));
    for (const { vmId, from, to, rules, before, after } of advice) {
      const moved = vms.get(vmId)!, was = broken();
      assert.equal(moved.host, from);
      assert.ok(moved.isMovable && from !== to);
      assert.ok(moved.memoryMb <= free.get(to)!);
      if (rules.length === 0) {
        assert.ok(before.from - before.to >= UNEVEN);
        assert.ok(after.to < before.from);
      }
      free.set(to, free.get(to)! - moved.memoryMb);
      free.set(from, free.get(from)! + moved.memoryMb);
      vms.set(vmId, { ...moved, host: to });
      assert.deepEqual([...broken()].filter((id) => !was.has(id)), []);
    }
    assert.equal(new Set(advice.map(({ vmId }) => vmId)).size, advice.length);
  }));
});

Deno.test("property: advice that is carried out again and again comes to an end: no VM goes in circles", () => {
  fc.assert(fc.property(balances, (given) => {
    let { hosts, vms } = given, rounds = 0;
    for (;;) {
      const advice = adviseBalance({ ...given, hosts, vms });
      if (advice.length === 0) return;
      assert.ok(rounds++ < 40);
      for (const { vmId, from, to } of advice) {
        const { memoryMb } = vms.find(({ id }) => id === vmId)!;
        const more = (id: string) => id === from ? memoryMb : id === to ? -memoryMb : 0;
        hosts = hosts.map((host) => ({ ...host, memoryFreeMb: host.memoryFreeMb + more(host.id) }));
        vms = vms.map((each) => each.id === vmId ? { ...each, host: to } : each);
      }
    }
  }));
});

Deno.test("advice says which VM, where to, and how full both are; even hosts get none", () => {
  const vms: BalanceVm[] = [1, 2, 3].map((n) => ({
    id: `v${n}`,
    name: `v${n}`,
    tags: [],
    host: "a",
    memoryMb: 4096,
    cpuUsed: 0,
    isMovable: true,
  }));
  const hosts = [room("a", 16_384 - 3 * 4096), room("b", 16_384)], from = new Set(["a"]);
  const [first, ...more] = adviseBalance({ hosts, vms, rules: [], from });
  assert.deepEqual(more, []);
  assert.deepEqual([first?.vmId, first?.to, first?.before, first?.after], [
    ...["v1", "b"],
    { from: 0.75, to: 0 },
    { from: 0.5, to: 0.25 },
  ]);
  assert.deepEqual(adviseBalance({ hosts: [room("a", 9000), room("b", 9500)], vms, rules: [], from }), []);
  const away = rule("away", "not-on", { vmIds: ["v3"] }, "a");
  assert.deepEqual(adviseBalance({ hosts, vms, rules: [away], from })[0]?.rules, ["away"]);
  assert.deepEqual(adviseBalance({ hosts, vms, rules: [away], from: new Set(["b"]) }), []);
});
