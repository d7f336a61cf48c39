/** Metrics from collection to commands: real guests, their figures compared with virsh's, two hosts kept apart. */
import assert from "node:assert/strict";
import { type CommandName, ContractError } from "../../lib/contract/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { join } from "node:path";
import { SOCKET_FILE } from "../../cli/environment.ts";
import { entry } from "../../agent/http/entry.ts";
import { listenSocket } from "../../agent/http/server.ts";
import "../../fresh.gen.ts";
import { app as pages } from "../../main.ts";
import { Collector } from "../../agent/metrics/collector.ts";
import { setLogLevel } from "../../agent/log.ts";
import type { Api } from "../../lib/contract/api.ts";
import { appHere } from "../testbed/app_here.ts";
import { inGuest } from "../testbed/in_guest.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { testFolder } from "../testbed/folder.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";
import { localMachine } from "../../agent/machine/machine.ts";

const ignore = await requirement("guest") !== null;
setLogLevel("error");

/** Seconds from one reading to the next: each is taken by hand, at a time of the test's own. */
const INTERVAL = 30;

type Here = Awaited<ReturnType<typeof appHere>>;

/** Takes readings of a host when asked to, one slot of time after the other, from an hour ago on. */
function collectorOf({ app }: Here, id: string) {
  const host = app.hosts.all().find((each) => each.id === id)!;
  const { inventory, sampler } = host;
  const clock = {
    ms: Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL * 1000 - 3600_000,
    now: () => clock.ms,
  };
  const collector = new Collector(
    {
      id,
      machine: id === "local" ? localMachine("qemu:///system") : null,
      keepsLatest: () => true,
      inventory,
      sampler,
    },
    app.metrics,
    INTERVAL,
    clock,
  );
  return {
    from: clock.ms,
    async take(): Promise<Taken> {
      const at = clock.ms, before = collector.latest;
      assert.ok(collector.isDue);
      await collector.tick();
      assert.ok(!collector.isDue);
      const round = collector.latest;
      clock.ms += INTERVAL * 1000;
      return { at, up: round === undefined || round === before ? NaN : round.at };
    },
  };
}

/** A reading. */
interface Taken {
  /** When it was written for, milliseconds since 1970. */
  readonly at: number;
  /** When libvirt had answered, monotonic milliseconds: what counters rose by is taken over this. NaN: it did not. */
  readonly up: number;
}

/** The figures of a VM at a time, by name and label. */
async function figuresAt(api: Api, vmId: string, at: number): Promise<Map<string, number | null>> {
  const { times, series, stepSeconds } = await api.getHistoricalMetrics({
    vmId,
    resolution: "raw",
    since: at - 600_000,
    until: at + 600_000,
  });
  assert.equal(stepSeconds % INTERVAL, 0);
  const index = times.findIndex((time) => time <= at && at < time + stepSeconds * 1000);
  return new Map(
    series.map(({ name, label, avg }) => [label === undefined ? name : `${name} ${label}`, avg[index]!]),
  );
}

/** The counters that virsh tells, by its names. */
async function domstats(name: string): Promise<Map<string, number>> {
  const text = await virsh("domstats", name);
  return new Map([...text.matchAll(/^\s*(\S+)=(\d+)$/gm)].map(([, key, value]) => [key!, Number(value)]));
}

Deno.test({
  name: "metrics: CPU, memory, disk and network of a real guest are what virsh domstats counts",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("metrics");
    await using vm = await testMachine({
      purpose: "metrics",
      network,
      disks: [{ size: "64M" }],
      start: true,
    });
    await vm.waitForAgent();
    await vm.waitForLease();
    await using here = await appHere();
    const { api } = here, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(here.app.hosts.vm(vmId) !== undefined));
    const collector = collectorOf(here, "local");
    /**
     * The next reading that has the VM. A reading leaves out who is busy with a call of somebody else: a gap, and the next
     * one may have it.
     */
    const takeVm = () =>
      until("a reading that has the VM", async () => {
        const taken = await collector.take();
        if (Number.isNaN(taken.up)) return null;
        const found = await figuresAt(api, vmId, taken.at);
        return typeof found.get("memory_balloon") === "number" ? { ...taken, found } : null;
      });
    const mac = here.app.hosts.vm(vmId)!.networkInterfaces[0]!.mac;
    const near = (figure: number | null | undefined, expected: number, share: number, what: string) => {
      assert.ok(
        typeof figure === "number" && Math.abs(figure - expected) <= Math.abs(expected) * share + 1,
        `${what}: ${figure}, virsh says ${expected}`,
      );
    };

    await t.step("the first reading has gauges alone: a counter needs two", async () => {
      const { found } = await takeVm();
      assert.ok(found.get("memory_balloon")! > 0);
      assert.equal(found.get("cpu_usage") ?? null, null);
    });

    await t.step("what the guest does between two readings", async () => {
      type Reading = Awaited<ReturnType<typeof figuresAt>>;
      const hasDisk = (reading: Reading) => typeof reading.get("disk_write_bytes vda") === "number";
      let found: Reading = new Map(),
        before: Awaited<ReturnType<typeof domstats>> = new Map(),
        after = before;
      let seconds = 0;
      const work = "dd if=/dev/zero of=/dev/vda bs=1M count=16 conv=fsync; ping -c 20 -i 0.1 -s 1000 " +
        `${network.subnet}.1; ` +
        "timeout 3 sh -c 'while :; do :; done'; true";
      // A reading leaves out the disks of a VM that is busy with a call of somebody else: a gap, and then it is done again
      for (let attempt = 0; attempt < 5 && !hasDisk(found); attempt++) {
        before = await domstats(vm.name);
        const first = await takeVm();
        // Once it is done nothing moves between virsh's readings and ours, however busy the machine is
        await inGuest(vm, "/bin/sh", "-c", work);
        after = await domstats(vm.name);
        const second = await takeVm();
        // virsh's readings may be seconds apart from ours: the amounts are the same, the intervals are not
        seconds = (second.up - first.up) / 1000;
        found = second.found;
      }
      const rose = (name: string) => (after.get(name)! - before.get(name)!) / seconds;
      const written = after.get("block.0.wr.bytes")! - before.get("block.0.wr.bytes")!;
      assert.ok(written >= 16 << 20, `the guest has written ${written} bytes`);
      near(found.get("disk_write_bytes vda"), rose("block.0.wr.bytes"), 0.1, "bytes written");
      near(found.get("disk_write_ops vda"), rose("block.0.wr.reqs"), 0.1, "writes");
      near(found.get(`nic_rx_bytes ${mac}`), rose("net.0.rx.bytes"), 0.2, "bytes received");
      near(found.get(`nic_tx_bytes ${mac}`), rose("net.0.tx.bytes"), 0.2, "bytes sent");
      near(found.get("cpu_usage"), rose("cpu.time") / 1e9 * 100, 0.15, "CPU");
      near(found.get("vcpu_usage 0"), rose("vcpu.0.time") / 1e9 * 100, 0.15, "vCPU");
      const writes = after.get("block.0.wr.reqs")! - before.get("block.0.wr.reqs")!;
      const latency = (after.get("block.0.wr.times")! - before.get("block.0.wr.times")!) / writes / 1e6;
      near(found.get("disk_write_latency vda"), latency, 0.2, "latency");
      near(found.get("memory_balloon"), after.get("balloon.current")! * 1024, 0.001, "balloon");
      near(found.get("memory_rss"), after.get("balloon.rss")! * 1024, 0.05, "RSS");
      near(found.get("disk_capacity vda"), after.get("block.0.capacity")!, 0.001, "capacity");
      near(found.get("disk_physical vda"), after.get("block.0.physical")!, 0.001, "physical");
    });

    await t.step("a VM that was started again has a gap, no negative and no wild figure", async () => {
      await virsh("destroy", vm.name);
      await collector.take();
      await virsh("start", vm.name);
      await vm.waitForAgent();
      const { found, up } = await takeVm();
      assert.equal(found.get("cpu_usage") ?? null, null);
      assert.ok(found.get("memory_balloon")! > 0);
      await delay(3000); // of a moment that is too short the hypervisor's own accounting makes anything
      const again = await takeVm(), usage = again.found.get("cpu_usage")!;
      const all = (await domstats(vm.name)).get("cpu.time")! / 1e9, seconds = (again.up - up) / 1000;
      assert.ok(
        usage >= 0 && usage / 100 * seconds <= all,
        `${usage} % of ${seconds} s, ${all} s since its start`,
      );
      const { series } = await api.getHistoricalMetrics({ vmId, resolution: "raw", since: collector.from });
      const labels = series.filter(({ name }) => name === "nic_rx_bytes").map(({ label }) => label);
      assert.deepEqual(labels, [mac], "a card's series goes on, whatever its device is called");
      for (const { name, avg } of series) {
        for (const figure of avg) assert.ok(figure === null || figure >= 0, `${name}: ${figure}`);
      }
      assert.ok(
        series.find(({ name }) => name === "cpu_usage")!.avg.includes(null),
        "the time it was off is a gap",
      );
    });

    await t.step("the summary is of the same figures", async () => {
      const range = { vmId, resolution: "raw" as const, since: collector.from };
      const { series: [cpu] } = await api.getHistoricalMetrics({ ...range, series: ["cpu_usage"] });
      const { series: [sum] } = await api.getMetricSummary({ ...range, series: ["cpu_usage"] });
      const known = cpu!.avg.filter((each) => each !== null);
      assert.equal(sum!.points, known.length);
      assert.equal(sum!.max, Math.max(...known));
      assert.ok(Math.abs(sum!.avg! - known.reduce((a, b) => a + b, 0) / known.length) < 1e-9);
    });

    await t.step("the host's own figures are the kernel's", async () => {
      // libvirt's events may be late
      await until(
        "the VM is known to run",
        () => Promise.resolve(here.app.hosts.vm(vmId)?.state === "running"),
      );
      await takeVm();
      const { series } = await api.getHostMetrics({ resolution: "raw", since: collector.from });
      const last = (name: string) =>
        series.find((each) => each.name === name)?.avg.findLast((each) => each !== null);
      const meminfo = await Deno.readTextFile("/proc/meminfo");
      const total = Number(/MemTotal:\s+(\d+)/.exec(meminfo)![1]) * 1024;
      near(last("memory_total"), total, 0.001, "memory");
      // The kernel counts in hundredths of a second: a busy machine may come out a hair above the whole
      const usage = last("cpu_usage");
      assert.ok(typeof usage === "number" && usage > 0 && usage < 105, `${usage} %`);
      assert.ok(last("vms_running")! >= 1, "VMs of other tests run, too");
      assert.ok(last("load_1")! >= 0);
    });
  },
});

Deno.test({
  name: "metrics: two hosts that have the same VM are kept apart",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "metrics-two", guest: false, start: true });
    await using remote = await privateLibvirt("metrics-two");
    await using folder = await testFolder();
    const twin = `<domain type="qemu"><name>twin</name><uuid>${vm.uuid}</uuid><memory unit="MiB">64</memory>
      <vcpu>1</vcpu><os><type arch="x86_64" machine="pc">hvm</type></os></domain>`;
    await Deno.writeTextFile(`${folder.path}/twin.xml`, twin);
    await remote.virsh("define", `${folder.path}/twin.xml`);
    await using here = await appHere([{ id: "lab", uri: remote.uri }], "qemu:///system");
    const { api } = here;
    const lab = collectorOf(here, "lab");
    let first = await lab.take();
    // libvirt may not answer in time: a gap
    const second = await until("two readings, one after the other", async () => {
      const taken = await lab.take();
      if (!Number.isNaN(first.up) && !Number.isNaN(taken.up)) return taken;
      first = taken;
      return null;
    });
    const range = { resolution: "raw" as const, since: first.at, until: second.at + INTERVAL * 1000 };
    // Both had it at the first start: whose the VM is, is not known
    const error = await api.getHistoricalMetrics({ vmId: vm.uuid, ...range }).catch((thrown) => thrown);
    assert.equal(error instanceof ContractError && error.code, "VmOnSeveralHosts");
    const local = await api.getHostMetrics(range),
      other = await api.getHostMetrics({ ...range, host: "lab" });
    assert.deepEqual(local.series, []);
    assert.ok(
      other.series.some(({ name, avg }) => name === "memory_used" && avg.every((each) => each !== null)),
    );
    assert.ok(
      !other.series.some(({ name }) => name.startsWith("pressure")),
      "of another host libvirt's word alone",
    );
  },
});

Deno.test({
  name: "metrics: the retention page shows the policy and what is stored, saves, refuses, and cleans up",
  ignore,
  fn: async () => {
    await using here = await appHere();
    const socket = join(here.dataDir, SOCKET_FILE);
    await using _listener = {
      ...await listenSocket(socket, entry(here.app, pages.handler())),
      [Symbol.asyncDispose]: () => _listener.close(),
    };
    using client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
    const ask = async (path = "/settings/metrics", init: RequestInit = {}) => {
      const response = await fetch(`http://localhost${path}`, {
        ...init,
        client,
        redirect: "manual",
      });
      return { status: response.status, text: await response.text(), at: response.headers.get("location") };
    };
    const post = (command: CommandName, fields: Record<string, string> = {}) =>
      ask(formHref(command, {}, "/settings/metrics"), {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { origin: "http://localhost" },
      });
    const wanted = {
      enabled: "no",
      rawDays: "3",
      minuteDays: "8",
      quarterHourDays: "60",
      days: "200",
      cleanupHour: "5",
    };
    const { status, text } = await ask();
    assert.equal(status, 200, text.slice(0, 500));
    for (
      const part of [
        /name="rawDays"[^>]*value="2"|value="2"[^>]*name="rawDays"/,
        /Every reading/,
        /Clean up now/,
      ]
    ) {
      assert.match(text, part);
    }
    const saved = await post("update_retention_policy", wanted);
    assert.deepEqual([saved.status, saved.at], [303, "/settings/metrics"]);
    const policy = await here.api.getRetentionPolicy();
    const { enabled, rawDays, minuteDays, quarterHourDays, days, cleanupHour } = policy;
    assert.deepEqual([enabled, rawDays, minuteDays, quarterHourDays, days, cleanupHour], [
      false,
      3,
      8,
      60,
      200,
      5,
    ]);
    const refused = await post("update_retention_policy", { ...wanted, days: "366" });
    assert.equal(refused.status, 400);
    assert.equal((await here.api.getRetentionPolicy()).days, 200);
    const bounded = await here.api.updateRetentionPolicy({ days: 30 });
    assert.deepEqual([bounded.rawDays, bounded.minuteDays, bounded.quarterHourDays], [3, 8, 30]);
    const cleaned = await post("execute_cleanup");
    assert.deepEqual([cleaned.status, cleaned.at], [303, "/settings/metrics"]);
    assert.notEqual((await here.api.getRetentionPolicy()).lastCleanup, null);
  },
});
