import { effect } from "@preact/signals";
import assert from "node:assert/strict";
import type { VmStats } from "../contract/mod.ts";
import { aVm } from "../text/vm_fixture_test.ts";
import { RECENT, VmStore } from "./vm_store.ts";

const load = (vmId: string, cpuUsagePercent: number): VmStats => ({
  vmId,
  cpuUsagePercent,
  memoryUsedMb: 1,
  memoryAvailableMb: 2,
  diskReadBytes: 0,
  diskWriteBytes: 0,
  networkRxBytes: 0,
  networkTxBytes: 0,
  timestamp: 0,
});

Deno.test("VmStore.setStats() tells the cells of that machine, and no list", () => {
  const store = new VmStore();
  store.replace([aVm({ id: "a" }), aVm({ id: "b" })]);
  const runs = { list: 0, a: 0, b: 0 };
  effect(() => (store.all.value, void runs.list++));
  effect(() => (store.stats("a").value, void runs.a++));
  effect(() => (store.stats("b").value, void runs.b++));
  store.setStats(load("a", 50));
  assert.deepEqual(runs, { list: 1, a: 2, b: 1 });
});

Deno.test("VmStore.replace() forgets what is gone", () => {
  const store = new VmStore();
  store.seed([aVm({ id: "a" }), aVm({ id: "b" })], false);
  assert.equal(store.complete.value, false);
  store.replace([aVm({ id: "b" })]);
  assert.deepEqual(store.all.value.map(({ id }) => id), ["b"]);
  assert.equal(store.complete.value, true);
});

Deno.test("VmStore.seed() never overwrites what events brought", () => {
  const store = new VmStore();
  store.put(aVm({ id: "a", state: "stopped" }));
  store.seed([aVm({ id: "a", state: "running" })], true);
  assert.equal(store.peek("a")?.state, "stopped");
});

Deno.test("VmStore: a machine that stops has no load", () => {
  const store = new VmStore();
  store.replace([aVm({ id: "a", stats: load("a", 5) })]);
  assert.equal(store.stats("a").value?.cpuUsagePercent, 5);
  store.setState("a", "stopped");
  assert.equal(store.stats("a").value, undefined);
  store.setStats(load("a", 9));
  assert.equal(store.stats("a").value, undefined);
});

Deno.test("VmStore.setState() of an unknown machine changes nothing", () => {
  const store = new VmStore();
  store.setState("x", "running");
  store.setStats(load("x", 1));
  assert.deepEqual(store.all.value, []);
});

Deno.test("VmStore keeps the CPU loads that somebody draws, so many at most, and none of a VM that was off", () => {
  const store = new VmStore();
  store.replace([aVm({ id: "a" }), aVm({ id: "b" })]);
  const recent = store.recentCpu("a");
  for (let n = 0; n < RECENT + 5; n++) {
    store.setStats(load("a", n));
    store.setStats(load("b", n));
  }
  assert.deepEqual([recent.length, recent[0], recent.at(-1)], [RECENT, 5, RECENT + 4]);
  assert.deepEqual(store.recentCpu("b"), [], "it was not requested");
  store.setState("a", "stopped");
  assert.equal(recent.length, 0);
});
