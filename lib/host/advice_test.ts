import assert from "node:assert/strict";
import type { HostStats, HostStatus, StoragePool } from "../contract/mod.ts";
import { GIB } from "../text/byte_units.ts";
import { adviseHosts, type HostLook } from "./advice.ts";

const host = (id: string, more: Partial<HostStatus> = {}): HostStatus => ({
  id,
  label: id,
  uri: "",
  isLocal: false,
  status: "connected",
  error: null,
  since: 0,
  isKnown: true,
  foreignVms: [],
  ...more,
});
const stats = (more: Partial<HostStats> = {}): HostStats => ({
  cpuUsagePercent: 10,
  memoryTotalMb: 32_768,
  memoryUsedMb: 8192,
  loadAverage: null,
  uptimeSeconds: null,
  timestamp: 0,
  ...more,
});
const pool = (name: string, gib: number | undefined, more: Partial<StoragePool> = {}) => ({
  name,
  state: "running" as const,
  fixed: false,
  ...(gib !== undefined && { availableBytes: gib * GIB }),
  ...more,
});
const roomy: HostLook = { stats: stats(), vms: [], pools: [pool("default", 100)] };
/** The advice about one host. */
const about = (look: HostLook, more: Partial<HostStatus> = {}) =>
  adviseHosts([host("a", more)], () => look)[0]!;
const orderOf = (looks: Readonly<Record<string, HostLook>>) =>
  adviseHosts(Object.keys(looks).map((id) => host(id)), ({ id }) => looks[id]!).map(({ host: { id } }) => id);

Deno.test("adviseHosts() takes memory that VMs are assigned as taken, where it is more than what is used", () => {
  const vms = [
    { state: "running" as const, memoryMb: 20_480 },
    { state: "paused" as const, memoryMb: 4096 },
    { state: "stopped" as const, memoryMb: 8192 },
  ];
  assert.deepEqual(about({ ...roomy, vms }).memory, { freeMb: 8192, totalMb: 32_768 });
  assert.deepEqual(about(roomy).memory, { freeMb: 24_576, totalMb: 32_768 });
  assert.equal(about({ stats: stats({ memoryUsedMb: null }), vms }).memory?.freeMb, 8192);
  const overcommitted = about({ ...roomy, vms: [{ state: "running", memoryMb: 65_536 }] });
  assert.equal(overcommitted.memory?.freeMb, 0);
  assert.deepEqual(overcommitted.lacks, ["memory"]);
});

Deno.test("adviseHosts() says what is not known by leaving it out, and recommends no host by it", () => {
  assert.deepEqual(about({}), { host: host("a"), lacks: [], isRecommended: false });
  assert.equal(about({ stats: stats({ memoryUsedMb: null }) }).memory, undefined);
  // The load of the list stands in for one that did not come in time
  const load = { cpuUsagePercent: 95, memoryUsedMb: 1024, memoryTotalMb: 4096, timestamp: 0 };
  const late = about({}, { load });
  assert.deepEqual(late.memory, { freeMb: 3072, totalMb: 4096 });
  assert.deepEqual(late.lacks, ["cpu"]);
  assert.equal(about({ stats: stats({ cpuUsagePercent: null }) }, { load }).cpuPercent, undefined);
});

Deno.test("adviseHosts() looks for the pool with most room among those that can be written to", () => {
  const pools = [
    pool("small", 5),
    pool("big", 50),
    pool("iscsi", 900, { fixed: true }),
    pool("off", 900, { state: "inactive" }),
    pool("unknown", undefined),
  ];
  assert.deepEqual(about({ ...roomy, pools }).pool, { name: "big", availableBytes: 50 * GIB });
  assert.deepEqual(about({ ...roomy, pools: [pool("small", 5)] }).lacks, ["pool"]);
  const none = about({ ...roomy, pools: [pool("off", 900, { state: "inactive" })] });
  assert.equal(none.pool, null);
  assert.deepEqual(none.lacks, ["pool"]);
});

Deno.test("adviseHosts() puts hosts with room first, the freest before, those away last, and recommends one", () => {
  const idle = { ...roomy, stats: stats({ memoryUsedMb: 16_384, cpuUsagePercent: 0 }) };
  const busy = { ...roomy, stats: stats({ memoryUsedMb: 8192, cpuUsagePercent: 60 }) };
  const full = { ...roomy, stats: stats({ memoryUsedMb: 32_000 }) };
  assert.deepEqual(orderOf({ full, unknown: {}, busy, idle }), ["idle", "busy", "unknown", "full"]);
  const more = { ...roomy, pools: [pool("default", 500)] };
  assert.deepEqual(orderOf({ a: roomy, b: more }), ["b", "a"], "alike otherwise: more storage");
  assert.deepEqual(orderOf({ b: roomy, a: roomy }), ["a", "b"], "alike: by name");
  const away = host("away", { status: "disconnected", error: "refused" });
  const advice = adviseHosts([away, host("full"), host("roomy")], ({ id }) => id === "full" ? full : roomy);
  assert.deepEqual(
    advice.map(({ host: { id }, lacks, isRecommended }) => [id, lacks, isRecommended]),
    [["roomy", [], true], ["full", ["memory"], false], ["away", ["away"], false]],
  );
  assert.ok(adviseHosts([away, host("full")], () => full).every(({ isRecommended }) => !isRecommended));
});
