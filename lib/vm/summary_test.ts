import assert from "node:assert/strict";
import { summarise } from "./summary.ts";
import { aVm } from "../text/vm_fixture_test.ts";

const load = (vmId: string, cpuUsagePercent: number) => ({
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

Deno.test("summarise() puts the busiest first, and leaves out what has no load", () => {
  const vms = [
    aVm({ id: "a", stats: load("a", 5) }),
    aVm({ id: "b", stats: load("b", 70) }),
    aVm({ id: "c" }),
    aVm({ id: "d", state: "stopped", stats: load("d", 99) }),
  ];
  assert.deepEqual(summarise(vms).top.map(({ id }) => id), ["b", "a"]);
});

Deno.test("summarise() lists a few of those that need a person, and counts all", () => {
  const vms = Array.from({ length: 30 }, (_, index) => aVm({ id: `${index}`, attention: ["disk full"] }));
  const { attention, counts } = summarise(vms);
  assert.equal(attention.length, 8);
  assert.equal(counts.attention, 30);
});

Deno.test("summarise() adds up what VMs that run were given", () => {
  const vms = [
    aVm({ id: "a", cpuCount: 4, memoryMb: 1024 }),
    aVm({ id: "b", state: "paused", cpuCount: 2, memoryMb: 512 }),
    aVm({ id: "c", state: "stopped", cpuCount: 16, memoryMb: 4096 }),
  ];
  assert.deepEqual(summarise(vms).promised, { cpus: 6, memoryMb: 1536 });
});
