import assert from "node:assert/strict";
import type { Backup } from "../contract/backups.ts";
import type { VM } from "../contract/vm.ts";
import { insights as texts } from "../i18n/en/insights.ts";
import { analyseHost, analyseVm, coverageOf, inOrder, insightOf, isEnough } from "./analyse.ts";
import { backupFactsOf, backupRules } from "./backups.ts";
import { CPU_RULES } from "./cpu.ts";
import { deviceRules } from "./devices.ts";
import type { AnalysedHost, InsightSummary, VmInsightFacts } from "./facts.ts";
import { HOST_RULES } from "./host.ts";
import { MEMORY_RULES } from "./memory.ts";
import { snapshotRules } from "./snapshots.ts";
import { GIB } from "../text/byte_units.ts";

const NOW = Date.UTC(2026, 0, 1);
const now = () => NOW;

/** A series of 100 points whose figures are these. */
const series = (name: string, figures: Partial<InsightSummary>): InsightSummary => ({
  name,
  unit: "percent",
  points: 100,
  coverage: 1,
  last: null,
  min: null,
  avg: null,
  max: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  ...figures,
});
const cpu = (p50: number, p95: number, max = p95) => series("cpu_usage", { p50, p95, max, avg: p50 });
/** The guest's view of `total` GiB, of which it used so many. */
const memory = (p95: number, max = p95, total = 4) => [
  cpu(10, 30, 40),
  series("memory_used", { p95: p95 * GIB, max: max * GIB }),
  series("memory_guest_total", { avg: total * GIB }),
  series("memory_guest_usable", { avg: (total - p95) * GIB }),
];

const VM_FACTS: VM = {
  id: "u-1",
  name: "web",
  state: "running",
  responsive: true,
  cpuCount: 4,
  maxCpuCount: 4,
  memoryMb: 4096,
  maxMemoryMb: 4096,
  diskSizeGb: null,
  networkInterfaces: [],
  disks: [],
  graphics: [],
  tags: [],
  autostart: false,
  persistent: true,
  guestAgent: "connected",
  guestAgents: { "qemu-ga": "connected", "kvm-manager-agent": "not configured" },
  firmware: "bios",
  virtType: "kvm",
  host: "here",
  attention: [],
  startedAt: NOW - 3600_000,
};

const facts = (figures: readonly InsightSummary[], vm: Partial<VM> = {}, hours = 24): VmInsightFacts => ({
  vm: { ...VM_FACTS, ...vm },
  host: { threads: 16, memoryMb: 65_536 },
  series: figures,
  hours,
});
const rulesOf = (each: VmInsightFacts) =>
  analyseVm(each, now).map(({ rule, severity }) => `${rule} ${severity}`);

const disk = (bus: string, target = "vda"): VM["disks"][number] => ({
  target,
  bus,
  device: "disk",
  type: "file",
  readOnly: false,
  shareable: false,
});
const card = (model: string): VM["networkInterfaces"][number] => ({
  mac: "52:54:00:00:00:01",
  network: "default",
  type: "network",
  ipAddresses: [],
  model,
  linkUp: true,
});

const HOST: AnalysedHost = {
  threads: 16,
  memoryMb: 65_536,
  runningCpus: 8,
  runningMemoryMb: 8192,
  pools: [],
  hours: 24,
  series: [series("cpu_usage", { p50: 10, p95: 20 }), series("memory_used", { p95: 10 * GIB })],
};
const ofHost = (change: Partial<AnalysedHost>) =>
  analyseHost({ ...HOST, ...change }).map(({ rule, severity }) => `${rule} ${severity}`);

Deno.test("CPU: idle for 95 % of the time is too large, unless the highest reading needs it", () => {
  assert.deepEqual(rulesOf(facts([cpu(2, 19.9, 30)])), ["cpu_oversized info"]);
  assert.deepEqual(rulesOf(facts([cpu(2, 20, 30)])), []);
  // 4 vCPUs at 60 % are 2.4; with room for what was not seen 3.4: all four
  assert.deepEqual(rulesOf(facts([cpu(2, 5, 60)])), []);
  assert.deepEqual(rulesOf(facts([cpu(2, 5, 10)], { cpuCount: 1 })), []);
  assert.deepEqual(rulesOf(facts([cpu(2, 5, 10)], {}, 6)), [], "a quiet morning says nothing of the day");
  const [found] = analyseVm(facts([cpu(2, 5, 30)]), now);
  assert.deepEqual(found!.apply, { cpu: { count: 2 } });
  assert.deepEqual(found!.undo, { cpu: { count: 4 } });
});

Deno.test("CPU: full is too small; it gets no more than the host has", () => {
  assert.deepEqual(rulesOf(facts([cpu(50, 89.9, 94)])), []);
  assert.deepEqual(rulesOf(facts([cpu(50, 90, 94)])), ["cpu_undersized warning"]);
  assert.deepEqual(rulesOf(facts([cpu(90, 99)])), ["cpu_undersized critical"]);
  const [found] = analyseVm(facts([cpu(90, 99)]), now);
  assert.deepEqual([found!.apply, found!.undo], [{ cpu: { count: 6, max: 6 } }, {
    cpu: { count: 4, max: 4 },
  }]);
  const [largest] = analyseVm(facts([cpu(90, 99)], { cpuCount: 16, maxCpuCount: 16 }), now);
  assert.equal(largest!.apply, undefined);
});

Deno.test("CPU: spikes are what percentiles hide; waiting for the host is told apart", () => {
  assert.deepEqual(rulesOf(facts([cpu(30, 59.9, 95)])), ["cpu_spikes info"]);
  assert.deepEqual(rulesOf(facts([cpu(30, 60, 100)])), []);
  assert.deepEqual(rulesOf(facts([cpu(30, 50, 94.9)])), []);
  const steal = (p95: number) => rulesOf(facts([cpu(30, 50), series("cpu_steal", { p95, avg: 1 })]));
  assert.deepEqual([steal(9.9), steal(10), steal(25)], [[], ["cpu_steal warning"], ["cpu_steal critical"]]);
});

Deno.test("memory: only the guest's own view counts", () => {
  assert.deepEqual(rulesOf(facts(memory(1, 1.59))), ["memory_oversized info"]);
  assert.deepEqual(rulesOf(facts(memory(1, 1.6))), []);
  assert.deepEqual(rulesOf(facts(memory(1, 1).slice(0, 3))), [], "without what is usable it is QEMU's view");
  const [found] = analyseVm(facts(memory(1, 1)), now);
  assert.deepEqual(found!.apply, { memory: { currentMb: 1536, maxMb: 1536 } });
  assert.deepEqual(found!.undo, { memory: { currentMb: 4096, maxMb: 4096 } });
  assert.deepEqual(rulesOf(facts(memory(0.1, 0.15, 0.5), { memoryMb: 512, maxMemoryMb: 512 })), []);
});

Deno.test("memory: full is too small, worse while it swaps; a balloon is another matter", () => {
  assert.deepEqual(rulesOf(facts(memory(3.59))), []);
  assert.deepEqual(rulesOf(facts(memory(3.6))), ["memory_undersized warning"]);
  assert.deepEqual(rulesOf(facts([...memory(3.6), series("memory_swap_in", { p90: 4096 })])), [
    "memory_undersized critical",
  ]);
  const [found] = analyseVm(facts(memory(3.6)), now);
  assert.deepEqual(found!.apply, { memory: { currentMb: 6144, maxMb: 6144 } });
  const small = { ...facts(memory(3.6)), host: { threads: 4, memoryMb: 6144 } };
  assert.equal(analyseVm(small, now)[0]!.apply, undefined, "the host does not have it");
  const held = { memoryMb: 4096, maxMemoryMb: 8192 };
  assert.deepEqual(rulesOf(facts(memory(3.4), held)), ["balloon_pressure warning"]);
  assert.deepEqual(rulesOf(facts(memory(3.39), held)), []);
  assert.deepEqual(analyseVm(facts(memory(3.6), held), now)[0]!.apply, {
    memory: { currentMb: 8192, maxMb: 8192 },
  });
});

Deno.test("devices: slow disks, lost packets, what is emulated, guests without agent", () => {
  const latency = (p95: number, points = 100) =>
    rulesOf(facts([cpu(30, 50), series("disk_write_latency", { label: "vda", p95, p50: 1, points })], {
      disks: [disk("virtio")],
    }));
  assert.deepEqual([latency(49.9), latency(50), latency(200), latency(200, 19)], [
    [],
    ["disk_latency warning"],
    ["disk_latency critical"],
    [],
  ]);
  const drops = (avg: number) =>
    rulesOf(facts([cpu(30, 50), series("nic_rx_drops", { label: "52:54:00:00:00:01", avg })]));
  assert.deepEqual([drops(0.9), drops(1)], [[], ["packet_drops warning"]]);
  const has = (vm: Partial<VM>) => rulesOf(facts([], vm));
  assert.deepEqual(has({ disks: [disk("sata"), disk("virtio", "vdb"), disk("scsi", "sda")] }), [
    "disk_emulated info",
  ]);
  assert.deepEqual(has({ disks: [{ ...disk("sata"), device: "cdrom" }] }), []);
  assert.deepEqual(has({ networkInterfaces: [card("e1000e"), card("virtio")] }), ["nic_emulated info"]);
  assert.deepEqual(has({ guestAgent: "not configured" }), ["agent_missing info"]);
  assert.deepEqual(has({ guestAgent: "disconnected" }), ["agent_silent info"]);
  assert.deepEqual(has({ guestAgent: "disconnected", startedAt: NOW - 60_000 }), [], "it boots");
  assert.deepEqual(has({ guestAgent: "disconnected", state: "stopped" }), []);
});

Deno.test("hosts: full pools, unused volumes, load, overcommit", () => {
  const pool = (allocation: number, capacity = 100) =>
    ofHost({ pools: [{ name: "p", capacity, allocation }] });
  assert.deepEqual([pool(84.9), pool(85), pool(95), pool(0, 0)], [
    [],
    ["pool_full warning"],
    ["pool_full critical"],
    [],
  ]);
  const unused = (names: string[]) =>
    ofHost({ pools: [{ name: "p", capacity: 100, allocation: 1, unused: { names, bytes: 1 } }] });
  assert.deepEqual([unused([]), unused(["a"])], [[], ["volumes_unused info"]]);
  const load = (p95: number) => ofHost({ series: [series("cpu_usage", { p50: 10, p95 })] });
  assert.deepEqual([load(84.9), load(85), load(95)], [[], ["host_cpu warning"], ["host_cpu critical"]]);
  const used = (gib: number, memoryMb = 65_536) =>
    ofHost({ memoryMb, series: [cpu(1, 1), series("memory_used", { p95: gib * GIB })] });
  assert.deepEqual([used(54), used(55), used(62), used(1, 0)], [
    [],
    ["host_memory warning"],
    ["host_memory critical"],
    [],
  ]);
  assert.deepEqual([ofHost({ runningCpus: 64 }), ofHost({ runningCpus: 65 })], [[], [
    "host_cpu_overcommit info",
  ]]);
  assert.deepEqual(
    [65_536, 65_537, 98_305].map((runningMemoryMb) => ofHost({ runningMemoryMb })),
    [[], ["host_memory_overcommit warning"], ["host_memory_overcommit critical"]],
  );
});

Deno.test("analyseVm() judges no load by too few figures", () => {
  const few = (points: number, coverage: number) => facts([{ ...cpu(90, 99), points, coverage }]);
  assert.deepEqual([rulesOf(few(100, 0.49)), rulesOf(few(19, 1)), rulesOf(facts([]))], [[], [], []]);
  assert.deepEqual(rulesOf(few(20, 0.5)), ["cpu_undersized critical"]);
  assert.equal(isEnough(coverageOf([])), false);
});

Deno.test("analyseVm() offers no change where one waits, or none can be kept", () => {
  const [waits] = analyseVm(facts([cpu(2, 5, 10)], { pendingChanges: 1 }), now);
  assert.deepEqual([waits!.apply, waits!.undo], [undefined, undefined]);
  assert.match(insightOf(waits!, {}, () => true).advice, /A change waits/);
  assert.equal(analyseVm(facts([cpu(2, 5, 10)], { persistent: false }), now)[0]!.apply, undefined);
});

Deno.test("insightOf() has words, series and, for who may, the command and the way back", () => {
  const [found] = analyseVm(facts([cpu(2, 5, 10)]), now);
  const told = insightOf(found!, {}, () => true);
  assert.equal(told.id, "cpu_oversized:u-1:");
  assert.equal(
    told.seen,
    "For 95 % of the time the load was at most 5 %, and its highest reading 10 %. vCPUs: 4.",
  );
  assert.deepEqual(told.apply, {
    command: "update_vm",
    input: { vmId: "u-1", cpu: { count: 1 }, nextBootOnly: true },
  });
  assert.deepEqual(told.undo?.input.cpu, { count: 4 });
  assert.deepEqual(told.series, [{ name: "cpu_usage" }]);
  assert.equal(insightOf(found!, {}, () => false).apply, undefined);
  const slow = facts([series("disk_read_latency", { label: "vda", p95: 60 })], { disks: [disk("virtio")] });
  const [latency] = analyseVm(slow, now);
  assert.deepEqual(insightOf(latency!, { host: "lab" }, () => true).series[0], {
    name: "disk_read_latency",
    label: "vda",
  });
});

Deno.test("backups: none, a failed one and an old one are told; what is not known is not", () => {
  const of = (backup: VmInsightFacts["backup"], disks = [disk("virtio")]) =>
    rulesOf({ ...facts([], { disks }), backup });
  assert.deepEqual(of(undefined), []);
  assert.deepEqual(of({ failed: false }), ["backup_missing info"]);
  assert.deepEqual(of({ failed: false }, []), [], "there is nothing to keep");
  assert.deepEqual(of({ failed: true }), ["backup_failed warning"]);
  const day = 86_400_000;
  assert.deepEqual(of({ failed: false, takenAt: NOW - 6 * day }), []);
  assert.deepEqual(of({ failed: true, takenAt: NOW - 8 * day }), [
    "backup_failed warning",
    "backup_old warning",
  ]);
});

Deno.test("backupFactsOf() takes the newest copy, and the newest run's word on failure", () => {
  const backup = (startedAt: number, state: "done" | "failed", takenAt: number | null, vmId = "u-1") =>
    ({ lastRun: { startedAt, copies: [{ vmId, state, takenAt }] } }) as unknown as Backup;
  assert.deepEqual(backupFactsOf([])("u-1"), { failed: false });
  assert.deepEqual(backupFactsOf([backup(5, "done", 6, "u-2")])("u-1"), { failed: false });
  const both = [backup(9, "failed", null), backup(5, "done", 6)];
  assert.deepEqual(backupFactsOf(both)("u-1"), { takenAt: 6, failed: true });
  assert.deepEqual(backupFactsOf([backup(9, "done", 10), backup(5, "failed", null)])("u-1"), {
    takenAt: 10,
    failed: false,
  });
});

Deno.test("every rule has its texts, and their places are filled", () => {
  const rules = [
    ...CPU_RULES,
    ...MEMORY_RULES,
    ...deviceRules(now),
    ...backupRules(now),
    ...snapshotRules(now),
    ...HOST_RULES,
  ];
  const ids = new Set(rules.map(({ id }) => id));
  assert.equal(ids.size, rules.length);
  for (const id of ids) {
    for (const part of ["title", "seen", "why", "advice"]) {
      assert.ok(Object.hasOwn(texts, `insights.${id}.${part}`), `${id}.${part}`);
    }
  }
  const held = { memoryMb: 4096, maxMemoryMb: 8192 };
  const all = [
    ...[cpu(2, 5, 10), cpu(90, 99), cpu(1, 2, 99)].flatMap((each) => analyseVm(facts([each]), now)),
    ...[facts(memory(1, 1)), facts(memory(3.9)), facts(memory(3.9), held)].flatMap((each) =>
      analyseVm(each, now)
    ),
    ...analyseVm(
      facts([
        ...[cpu(30, 50), series("cpu_steal", { p95: 30 }), series("nic_tx_drops", { label: "m", avg: 2 })],
        series("disk_read_latency", { label: "vda", p95: 60 }),
      ], { disks: [disk("sata")], networkInterfaces: [card("e1000")], guestAgent: "not configured" }),
      now,
    ),
    ...analyseVm(facts([], { guestAgent: "disconnected" }), now),
    ...[{ failed: false }, { failed: true }, { failed: false, takenAt: 0 }].flatMap((backup) =>
      analyseVm({ ...facts([], { disks: [disk("virtio")] }), backup }, now)
    ),
    ...analyseVm({
      ...facts([]),
      snapshots: Array.from(
        { length: 10 },
        (_, index) => ({ name: `s${index}`, createdAt: 0, external: true }),
      ),
    }, now),
    ...analyseHost({
      ...HOST,
      runningCpus: 100,
      runningMemoryMb: 99_999_999,
      series: [cpu(90, 99), series("memory_used", { p95: 64 * GIB })],
      pools: [{ name: "p", capacity: 1, allocation: 1, unused: { names: ["a", "b", "c", "d"], bytes: 1 } }],
    }),
  ];
  assert.deepEqual(new Set(all.map(({ rule }) => rule)), ids, "every rule was seen");
  for (const each of all) {
    const { title, seen, why, advice, change = "" } = insightOf(each, {}, () => true);
    assert.doesNotMatch([title, seen, why, advice, change].join(" "), /[{}]|undefined|NaN/, each.rule);
    assert.equal(change !== "", each.apply !== undefined, each.rule);
  }
});

Deno.test("inOrder() has the worst first", () => {
  const all = [
    ...analyseVm(facts([cpu(90, 99)], { guestAgent: "not configured" }), now),
    ...analyseHost(HOST),
  ];
  const told = inOrder(all.reverse().map((each) => insightOf(each, {}, () => true)));
  assert.deepEqual(told.map(({ severity }) => severity), ["critical", "info"]);
});

Deno.test("snapshots: old ones are told of, external ones sooner and louder; ten external ones are many", () => {
  const day = 86_400_000;
  const of = (...snapshots: readonly (readonly [days: number, external?: boolean])[]) =>
    analyseVm({
      ...facts([cpu(10, 30, 40)]),
      snapshots: snapshots.map(([days, external = false], index) => ({
        name: `s${index}`,
        createdAt: NOW - days * day,
        external,
      })),
    }, now).map(({ rule, severity, vars }) =>
      `${rule} ${severity} ${vars.n} ${vars.days ?? ""} ${vars.names ?? ""}`.trim()
    );
  assert.deepEqual(of([29.9], [6.9, true]), []);
  assert.deepEqual(of([30], [2]), ["snapshots_stale info 1 30 s0"]);
  assert.deepEqual(of([7, true], [45]), ["snapshots_stale warning 2 45 s1, s0"]);
  assert.deepEqual(of([31], [32], [33], [34]), ["snapshots_stale info 4 34 s3, s2, s1, …"]);
  assert.deepEqual(of(...Array.from({ length: 10 }, () => [1, true] as const)), [
    "snapshots_many warning 10",
  ]);
  assert.deepEqual(of([-400]), [], "a clock that was wrong made none old");
});
