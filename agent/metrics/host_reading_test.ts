import assert from "node:assert/strict";
import { MetricSampler, type Reading } from "../../lib/metrics/metric_sampler.ts";
import {
  hostLayout,
  HostReader,
  hostSources,
  readDiskstats,
  readLoadavg,
  readMeminfo,
  readNetDev,
  readPools,
  readPressure,
  readStat,
} from "./host_reading.ts";

/** Figures of two readings ten seconds apart, by name and label. */
function figures(before: Reading, now: Reading): Record<string, number> {
  const taker = new MetricSampler(hostSources(now));
  taker.take(before, 0, 60);
  const taken = taker.take(now, 10_000, 60);
  return Object.fromEntries(
    taker.sources.flatMap(({ name, label }, index) =>
      Number.isNaN(taken[index]!) ? [] : [[`${name} ${label}`.trim(), Math.round(taken[index]! * 100) / 100]]
    ),
  );
}

Deno.test("hostSources(): shares of CPU and pressure, memory, load", () => {
  const stat = (busy: number, idle: number, iowait: number) =>
    readStat(`cpu  ${busy} 0 0 ${idle} ${iowait} 0 0 10 0 0\ncpu0 1 2 3\n`);
  const memory = readMeminfo(
    "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n",
  );
  const pressure = (total: number) =>
    readPressure("io", `some avg10=1.0 avg60=1 avg300=1 total=${total}\nfull avg10=0 total=5\n`);
  const found = figures(
    { ...stat(100, 100, 0), ...memory, ...pressure(0) },
    {
      ...stat(150, 140, 10),
      ...memory,
      ...pressure(1e6),
      ...readLoadavg("0.20 0.18 0.12 1/80 11206\n"),
      "vms.running": 3,
    },
  );
  assert.deepEqual(found, {
    cpu_usage: 50,
    cpu_iowait: 10,
    cpu_steal: 0,
    memory_used: 614_400,
    memory_total: 1_024_000,
    swap_used: 30_720,
    swap_total: 51_200,
    load_1: 0.2,
    load_5: 0.18,
    load_15: 0.12,
    vms_running: 3,
    pressure_io_some: 10,
    pressure_io_full: 0,
  });
});

Deno.test("hostSources(): disks and cards of the host, not those of its guests", () => {
  const disks = (factor: number) =>
    readDiskstats(
      ` 8 0 sda ${10 * factor} 0 ${200 * factor} ${50 * factor} ${20 * factor} 0 ${400 * factor} ${
        40 * factor
      } 0 ${5000 * factor} 9\n` +
        " 8 1 sda1 1 0 2 3 4 0 5 6 0 7 8\n 7 0 loop0 1 0 2 3 4 0 5 6 0 7 8\n",
      new Set(["sda"]),
    );
  const cards = (factor: number) =>
    readNetDev(
      "Inter-|   Receive  |  Transmit\n face |bytes packets\n" +
        `    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n vnet3: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n` +
        `  eth0: ${1000 * factor} ${10 * factor} 0 0 0 0 0 0 ${2000 * factor} 0 0 0 0 0 0 0\n`,
    );
  const found = figures({ ...disks(1), ...cards(1) }, { ...disks(2), ...cards(2) });
  assert.deepEqual(found, {
    "disk_read_bytes sda": 10_240,
    "disk_write_bytes sda": 20_480,
    "disk_read_ops sda": 1,
    "disk_write_ops sda": 2,
    "disk_read_latency sda": 5,
    "disk_write_latency sda": 2,
    "disk_busy sda": 50,
    "nic_rx_bytes eth0": 100,
    "nic_tx_bytes eth0": 200,
    "nic_rx_packets eth0": 1,
    ...Object.fromEntries(
      ["tx_packets", "rx_drops", "tx_drops", "rx_errors", "tx_errors"].map((each) => [`nic_${each} eth0`, 0]),
    ),
  });
});

Deno.test("hostSources(): pools that are active; names are bounded and cannot break a line", () => {
  const odd = "x\u202e\n".repeat(50);
  const pools = [
    { name: odd, state: 2, capacity: 4096, allocation: 1024, available: 3072 },
    { name: "off", state: 0, capacity: 0, allocation: 0, available: 0 },
  ];
  const sources = hostSources(readPools(pools));
  assert.deepEqual(sources.map(({ name }) => name), ["pool_used", "pool_capacity"]);
  for (const { label } of sources) {
    assert.ok(label.length <= 64, label);
    assert.doesNotMatch(label, /[\n\u202e]/);
  }
  const many = readPools(Array.from({ length: 500 }, (_, index) => ({ ...pools[0]!, name: `p${index}` })));
  assert.equal(hostSources(many).length, 128);
  assert.notEqual(hostLayout(many), hostLayout(readPools(pools)));
});

Deno.test("readers of the kernel's files take what is none for unknown", () => {
  const reading = {
    ...readStat(""),
    ...readMeminfo("nonsense"),
    ...readPressure("cpu", "x"),
    ...readNetDev(""),
    ...readDiskstats("", new Set()),
  };
  assert.deepEqual(hostSources(reading), []);
});

Deno.test("HostReader.read() knows this host's memory and CPU", async () => {
  const reading = await new HostReader().read();
  assert.ok(reading["memory.total"]! > 0);
  assert.ok(reading["cpu.all"]! > 0);
});
