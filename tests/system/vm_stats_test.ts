/** get_vm_stats and the ticks behind it: real load, virsh's totals, one bulk call however many look. */
import assert from "node:assert/strict";
import type { VmStats } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { call, EventLog, readyServer, shows } from "../testbed/product.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("stats") !== null;

/** Sums `block.0.rd.bytes=…` and its like. */
function total(domstats: string, pattern: RegExp): number {
  return [...domstats.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

Deno.test({
  name: "get_vm_stats() grows with what the guest does, as virsh counts it",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("stats");
    await using vm = await testMachine({ purpose: "stats", network, disks: [{ size: "64M" }] });
    await using server = await readyServer();
    await using log = await EventLog.open(server);
    const vmId = vm.uuid;
    const zeros = async () => {
      const { timestamp, vmId: id, ...numbers } = await call(server, "get_vm_stats", { vmId });
      assert.ok(Math.abs(timestamp - Date.now()) < 5000);
      assert.equal(id, vmId);
      assert.deepEqual(Object.values(numbers), [0, 0, 0, 0, 0, 0, 0]);
    };
    await t.step("zeros for a stopped machine", zeros);
    await call(server, "start_vm", { vmId });
    await vm.waitForAgent();
    await vm.waitForLease();
    const tick = async (fits: (stats: VmStats) => boolean) =>
      (await log.waitFor("vm-stats-updated", (data) => data.vmId === vmId && fits(data.stats), {
        from: log.events.length,
        seconds: 20,
      })).data.stats;
    let before: VmStats;

    await t.step("CPU: a busy guest uses its vCPU, an idle one does not", async () => {
      await tick(({ cpuUsagePercent }) => cpuUsagePercent !== null && cpuUsagePercent < 20);
      const sh = (script: string) => vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", script] });
      await sh("while ! [ -e /enough ]; do :; done");
      assert.ok((await tick((stats) => (stats.cpuUsagePercent ?? 0) > 30)).cpuUsagePercent! <= 100);
      await sh("touch /enough");
    });
    await t.step("disk: what the guest reads and writes is counted", async () => {
      before = await tick(() => true);
      const copy =
        "dd if=/dev/zero of=/dev/vda bs=1M count=8 conv=fsync; echo 3 >/proc/sys/vm/drop_caches; " +
        "dd if=/dev/vda of=/dev/null bs=1M count=4";
      await vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", copy] });
      const enough = (stats: VmStats) =>
        stats.diskWriteBytes - before.diskWriteBytes >= 8 << 20 &&
        stats.diskReadBytes - before.diskReadBytes >= 4 << 20;
      await tick(enough);
    });
    await t.step("network: pings to the host are counted both ways", async () => {
      const size = 20 * 1000;
      await vm.agent("guest-exec", {
        path: "/bin/ping",
        arg: ["-c", "20", "-i", "0.1", "-s", "1000", `${network.subnet}.1`],
      });
      await tick((stats) =>
        stats.networkRxBytes - before.networkRxBytes > size &&
        stats.networkTxBytes - before.networkTxBytes > size
      );
    });
    await t.step("totals and memory are virsh domstats's", async () => {
      await call(server, "pause_vm", { vmId }); // stands still, so both see the same
      await delay(100);
      const theirs = await virsh("domstats", vm.name, "--block", "--interface", "--balloon");
      const stats = await tick(() => true);
      assert.equal(stats.diskReadBytes, total(theirs, /block\.\d+\.rd\.bytes=(\d+)/g));
      assert.equal(stats.diskWriteBytes, total(theirs, /block\.\d+\.wr\.bytes=(\d+)/g));
      assert.equal(stats.networkTxBytes, total(theirs, /net\.\d+\.tx\.bytes=(\d+)/g));
      assert.ok(stats.networkRxBytes >= total(theirs, /net\.\d+\.rx\.bytes=(\d+)/g));
      const kib = (name: string) => total(theirs, new RegExp(`balloon\\.${name}=(\\d+)`, "g"));
      assert.equal(stats.memoryAvailableMb, kib("current") / 1024);
      assert.equal(stats.memoryUsedMb, Math.round((kib("available") - kib("usable")) / 1024));
      await call(server, "resume_vm", { vmId });
    });
    await t.step("the list carries the latest reading", async () => {
      const { stats } = await call(server, "get_vm", { vmId });
      assert.ok(stats !== undefined && Date.now() - stats.timestamp < 5000);
    });
    await t.step("zeros again once it is off", async () => {
      await call(server, "force_stop_vm", { vmId });
      await zeros();
      assert.equal((await call(server, "get_vm", { vmId })).stats, undefined);
    });
    await t.step("a new start counts again", async () => {
      await call(server, "start_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "running");
      const { diskWriteBytes, cpuUsagePercent } = await call(server, "get_vm_stats", { vmId });
      assert.deepEqual([diskWriteBytes, cpuUsagePercent], [0, null], "one reading tells no share");
    });
  },
});

/** In libvirtd's log: a tick asks for cpu, balloon, interface and block (`virDomainStatsTypes`), the rounds of the metrics for more. */
const TICK = "stats=0x36,";

Deno.test({
  name: "Sampler asks libvirt once a tick, whether one looks or twenty",
  ignore,
  fn: async () => {
    await using host = await privateLibvirt("ticks", { log: "1:libvirt 4:util 4:rpc" });
    for (let index = 0; index < 3; index++) await host.machine({ start: true });
    await using server = await readyServer({ uri: host.uri });
    /** Calls for statistics of all machines that libvirtd's own log has of some seconds. */
    const calls = async (listeners: number) => {
      await using all = new AsyncDisposableStack();
      for (let index = 0; index < listeners; index++) all.use(await EventLog.open(server));
      await until(
        "a tick",
        async () => (await call(server, "get_vms")).every(({ stats }) => stats !== undefined),
      );
      // What one machine alone is asked for, to see whether it answers, is no look at all of them: its groups are others
      const looks = () => host.logged(TICK);
      const before = await looks(), began = performance.now();
      await delay(6000);
      const count = await looks() - before;
      return { count, ms: performance.now() - began };
    };
    const one = await calls(1), twenty = await calls(20);
    // What was begun before counts as well; on a busy machine it takes longer until the log is read
    const most = ({ ms }: typeof one) => Math.floor(ms / 2000) + 1;
    assert.ok(
      one.count >= 2 && one.count <= most(one),
      `${one.count} calls in ${one.ms} ms with one listener`,
    );
    // A busy machine has fewer ticks, however many look.
    assert.ok(
      twenty.count >= 1 && twenty.count <= one.count + most(twenty) - most(one) + 1,
      `${one.count} calls with one listener, ${twenty.count} with twenty`,
    );
  },
});
