import assert from "node:assert/strict";
import { procMetrics } from "./linux_proc.ts";

const EMPTY = { stat: "", memory: "", load: "", uptime: "", disks: "", network: "" };

Deno.test("procMetrics() reads a load between two moments", () => {
  const before = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0\nintr 1";
  const found = procMetrics(before, {
    stat: "cpu  150 0 100 850 0 0 0 0 0 0\ncpu0 150 0 100 850 0 0 0 0 0 0\nintr 2",
    memory: "MemTotal:  1048576 kB\nMemAvailable:  524288 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n",
    load: "0.10 0.20 0.30 1/60 77\n",
    uptime: "12.50 20.00\n",
    disks: "254 0 vda 5 0 10 0 3 0 20 0 0 0 0\n254 1 vda1 5 0 10 0 3 0 20 0 0 0 0\n",
    network: "Inter-|\n face |bytes\n  lo: 1 0 0 0 0 0 0 0 1 0\neth0: 700 1 0 0 0 0 0 0 900 1\n",
  });
  assert.deepEqual(found, {
    cpuUsagePercent: 50,
    cores: [50],
    loadAverage: [0.1, 0.2, 0.3],
    memoryUsedMb: 512,
    memoryTotalMb: 1024,
    memoryAvailableMb: 512,
    swapUsedMb: 1,
    swapTotalMb: 2,
    uptimeSeconds: 12.5,
    diskIo: [{ name: "vda", readBytes: 5120, writeBytes: 10_240 }],
    networkIo: [{ name: "eth0", rxBytes: 700, txBytes: 900 }],
  });
});

Deno.test("procMetrics() makes nothing of nonsense", () => {
  const nothing = procMetrics("", EMPTY);
  assert.deepEqual([nothing.cpuUsagePercent, nothing.cores, nothing.memoryTotalMb], [0, [], 0]);
  const lie = procMetrics("cpu 9 9 9 9", {
    ...EMPTY,
    stat: "cpu -1 x 1e999 5\n" + "cpu0 1\n".repeat(9999),
    memory: "MemTotal: -5 kB\nMemAvailable: 99999999999999999999 kB",
    disks: "a b vda",
    network: "eth0: NaN",
  });
  assert.equal(lie.cores.length, 512);
  assert.deepEqual([lie.memoryTotalMb, lie.memoryUsedMb], [0, 0]);
  assert.deepEqual(lie.diskIo, [{ name: "vda", readBytes: 0, writeBytes: 0 }]);
});
