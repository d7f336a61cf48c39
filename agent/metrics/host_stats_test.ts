import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import { HostStats } from "../../lib/contract/host.ts";
import { hostCpuPercent, hostMemory, hostStats } from "./host_stats.ts";

const counters = (cpu: Record<string, number>, memory: Record<string, number> = {}) => ({
  cpu,
  memory: { total: 3145728, ...memory },
});

Deno.test("hostCpuPercent() is user and kernel time of all there was; waiting for disks is idle", () => {
  const before = counters({ user: 100, kernel: 50, idle: 850, iowait: 0 });
  const now = counters({ user: 150, kernel: 75, idle: 1000, iowait: 25 });
  assert.equal(hostCpuPercent(before, now), 30);
  assert.equal(hostCpuPercent(undefined, now), null);
  assert.equal(hostCpuPercent(now, now), null, "no time has passed");
  assert.equal(hostCpuPercent(now, before), null, "counters ran back: the host was another");
  assert.equal(hostCpuPercent(counters({}), counters({})), null);
});

Deno.test("hostMemory() counts caches as free, and says null where the driver tells nothing", () => {
  const kib = { total: 8192 * 1024, free: 1024 * 1024, cached: 2048 * 1024, buffers: 1024 * 1024 };
  assert.deepEqual(hostMemory(counters({}, kib)), { totalMb: 8192, usedMb: 4096 });
  assert.deepEqual(hostMemory(counters({}, { total: 1024, free: 512 })), { totalMb: 1, usedMb: 1 });
  assert.deepEqual(hostMemory(counters({})), { totalMb: 3072, usedMb: null });
  assert.deepEqual(hostMemory(counters({}, { total: 1024, free: 4096 })).usedMb, 0);
});

Deno.test("hostStats() fits the contract, with and without what is known", () => {
  const local = { loadAverage: [1, 2, 3], uptimeSeconds: 5 };
  for (
    const stats of [
      hostStats(undefined, counters({}), { loadAverage: null, uptimeSeconds: null }, 7),
      hostStats(counters({ idle: 1 }), counters({ idle: 2 }, { total: 1024, free: 1 }), local, 7),
    ]
  ) assert.deepEqual(Compile(HostStats).Errors(stats), []);
});
