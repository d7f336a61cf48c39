/** Data that the collector hands to the store, of invented readings. */
import assert from "node:assert/strict";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { TestClock } from "../testing.ts";
import { Collector } from "./collector.ts";
import type { MetricStore } from "./metric_store.ts";
import type { MetricCalls } from "./store_protocol.ts";

/** Takes VMs' readings one after the other. @returns the figures to be written, by name and label of the series */
async function written(readings: readonly Readonly<Record<string, unknown>>[]) {
  const clock = new TestClock(), keys: string[] = [], writes: MetricCalls["write"]["in"][] = [];
  // Later series have lower ids, as of VMs that were known before
  const idOf = (key: string) => 1000 - (keys.includes(key) ? keys.indexOf(key) : keys.push(key) - 1);
  const ask = ((call: string, input: MetricCalls["register"]["in"] & MetricCalls["write"]["in"]) => {
    if (call === "write") writes.push(input);
    return Promise.resolve(
      call === "register"
        ? Uint32Array.from(input.keys, ({ subject, name, label }) => idOf([subject, name, label].join(" ")))
        : null,
    );
  }) as MetricStore["ask"];
  let now = readings[0]!;
  const host = {
    id: LOCAL_HOST,
    machine: null,
    inventory: {
      vm: () => ({ cpuCount: 1, networkInterfaces: [] }),
      counts: () => ({ active: 1, total: 1 }),
      storage: { records: () => [] },
    },
    sampler: {
      takeAll: () =>
        Promise.resolve({
          at: clock.monotonic(),
          records: [{ uuid: "vm", params: now }],
          node: { cpu: {}, memory: { total: 0 } },
        }),
    },
  };
  const collector = new Collector(host as never, { ask, generation: 1 }, 30, clock);
  for (now of readings) {
    await collector.tick();
    await clock.advance(30_000);
  }
  return writes.map(({ ids, figures }) => {
    assert.deepEqual(ids, Uint32Array.from(new Set(ids)).sort(), "rising, each once");
    return Object.fromEntries(Array.from(ids, (id, index) => [keys[1000 - id], figures[index]]));
  });
}

Deno.test("Collector.tick() writes what is known, by id, and a series with two parts of one name once", async () => {
  const first = {
    "cpu.time": 1e9,
    "balloon.current": 1024,
    "balloon.available": 1000,
    "balloon.unused": 400,
    "block.count": 2,
    "block.0.name": "vda",
    "block.0.rd.bytes": 1000,
    "block.1.name": "vda",
    "block.1.rd.bytes": 1000,
  };
  const second = { ...first, "cpu.time": 16e9, "block.0.rd.bytes": 31_000, "block.1.rd.bytes": 31_000 };
  const [before, after] = await written([first, second]);
  assert.equal(before!["vm memory_balloon "], 1024 * 1024);
  assert.equal("vm cpu_usage " in before!, false, "of one reading nothing is told of a counter");
  assert.equal(after!["vm cpu_usage "], 50);
  assert.equal(after!["vm disk_read_bytes vda"], 1000);
  assert.equal(after![" vms_running "], 1);
  assert.equal("vm memory_swap_in " in after!, false);
});
