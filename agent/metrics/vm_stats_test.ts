import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import type { Params } from "../../ffi/typed_params.ts";
import { VmStats } from "../../lib/contract/vm.ts";
import { answered, cpuPercent, memoryUsedMb, noStats, vmStats } from "./vm_stats.ts";

const cpu = (seconds: number, at: number) => ({ params: { "cpu.time": seconds * 1e9 }, at });

Deno.test("cpuPercent() is the share of all vCPUs between two readings", () => {
  assert.equal(cpuPercent(cpu(10, 0), cpu(11, 1000), 1), 100);
  assert.equal(cpuPercent(cpu(10, 0), cpu(11, 1000), 4), 25);
  assert.equal(cpuPercent(cpu(10, 0), cpu(10.0123, 1000), 1), 1.2);
  assert.equal(cpuPercent(cpu(10, 0), cpu(20, 1000), 1), 100, "never more than all of them");
});

Deno.test("cpuPercent() is null where nothing can be told", () => {
  assert.equal(cpuPercent(undefined, cpu(1, 0), 1), null);
  assert.equal(cpuPercent(cpu(10, 0), cpu(1, 1000), 1), null, "it restarted in between");
  assert.equal(cpuPercent(cpu(1, 1000), cpu(2, 1000), 1), null, "no time has passed");
  assert.equal(cpuPercent(cpu(1, 1000), cpu(2, 0), 1), null, "time ran back");
  assert.equal(cpuPercent(cpu(1, 0), cpu(2, 1000), 0), null, "no vCPU is known");
  assert.equal(cpuPercent(cpu(1, 0), { params: {}, at: 1000 }, 1), null);
  assert.equal(cpuPercent(cpu(1, 0), { params: { "cpu.time": "x" }, at: 1000 }, 1), null);
});

Deno.test("memoryUsedMb() is the guest's own view where it tells, else what QEMU holds", () => {
  const table: [Params, number][] = [
    [{}, 0],
    [{ "balloon.current": 2097152 }, 2048],
    [{ "balloon.current": 2097152, "balloon.rss": 524288 }, 512],
    [{ "balloon.current": 524288, "balloon.rss": 600000 }, 512], // QEMU's own memory is not the guest's
    [{ "balloon.rss": 524288 }, 512],
    [
      {
        "balloon.current": 2097152,
        "balloon.available": 2000000,
        "balloon.unused": 975616,
        "balloon.rss": 1,
      },
      1000,
    ],
    [{ "balloon.available": 2000000, "balloon.unused": 100, "balloon.usable": 975616 }, 1000],
    [{ "balloon.available": 100, "balloon.unused": 200 }, 0], // a guest that lies
  ];
  for (const [params, expected] of table) {
    assert.equal(memoryUsedMb(params), expected, JSON.stringify(params));
  }
});

Deno.test("vmStats() adds up every disk and card, and fits the contract", () => {
  const params: Params = {
    "cpu.time": 2e9,
    "balloon.current": 1048576,
    "net.count": 2,
    "net.0.rx.bytes": 1,
    "net.1.rx.bytes": 2,
    "net.1.tx.bytes": 4,
    "net.2.rx.bytes": 99,
    "block.count": 2,
    "block.0.rd.bytes": 10,
    "block.1.rd.bytes": 20,
    "block.0.wr.bytes": 40,
  };
  const stats = vmStats("u", cpu(1, 0), { params, at: 2000 }, 2, 7);
  assert.deepEqual(stats, {
    vmId: "u",
    cpuUsagePercent: 25,
    memoryUsedMb: 1024,
    memoryAvailableMb: 1024,
    diskReadBytes: 30,
    diskWriteBytes: 40,
    networkRxBytes: 3,
    networkTxBytes: 4,
    timestamp: 7,
  });
  for (const each of [stats, noStats("u", 7)]) assert.ok(Compile(VmStats).Check(each));
  const first = vmStats("u", undefined, { params: {}, at: 0 }, 1, 7);
  assert.deepEqual(first, { ...noStats("u", 7), cpuUsagePercent: null }, "off is 0, not known is not");
  assert.ok(Compile(VmStats).Check(first));
});

Deno.test("answered() tells readings QEMU took part in", () => {
  const of = (params: Params) => answered({ uuid: "u", params });
  assert.equal(of({ "cpu.time": 1, "balloon.current": 1, "block.count": 1, "block.0.name": "vda" }), false);
  for (const name of ["balloon.rss", "block.0.rd.bytes", "balloon.available"]) {
    assert.equal(of({ [name]: 0 }), true);
  }
});
