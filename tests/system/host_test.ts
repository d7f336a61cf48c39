/** get_host_info, get_host_stats, get_connection_status, get_activity against virsh and the kernel. */
import assert from "node:assert/strict";
import { URI, virsh } from "../testbed/libvirt.ts";
import { call, EventLog, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** MiB that the kernel has available. */
async function availableMb(): Promise<number> {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(await Deno.readTextFile("/proc/meminfo"))?.[1]) / 1024;
}

Deno.test({
  name: "get_host_info() and get_host_stats() tell what virsh and the kernel tell",
  ignore,
  fn: async (t) => {
    const began = Date.now();
    await using server = await readyServer();
    const node = Object.fromEntries(
      (await virsh("nodeinfo")).split("\n").map((line) => line.split(/:\s+/) as [string, string]),
    );
    // nodeinfo has what libvirtd found at its start; a virtual host's memory can have grown since
    const totalMb = Number(/^total\s*:\s+(\d+) KiB/m.exec(await virsh("nodememstats"))?.[1]) / 1024;

    await t.step("get_host_info()", async () => {
      const info = await call(server, "get_host_info");
      assert.equal(info.hostname, await virsh("hostname"));
      assert.equal(info.cpuThreads, Number(node["CPU(s)"]));
      const cores = Number(node["NUMA cell(s)"]) * Number(node["CPU socket(s)"]) *
        Number(node["Core(s) per socket"]);
      assert.equal(info.cpuCount, cores);
      assert.ok(Math.abs(info.memoryTotalMb - totalMb) <= 1);
      // One figure: that of the form for new VMs is the dashboard's.
      const { host } = await call(server, "get_create_options");
      assert.ok(Math.abs(host.memoryMb - info.memoryTotalMb) <= 1, `${host.memoryMb}, ${info.memoryTotalMb}`);
      const version = await virsh("version", "--daemon");
      assert.equal(info.libvirtVersion, /daemon: (\S+)/.exec(version)?.[1]);
      assert.equal(info.qemuVersion, /hypervisor: QEMU (\S+)/.exec(version)?.[1]);
      // Asked first of all: a guest that hangs under KVM is not KVM that works.
      const findings = await call(server, "get_host_health");
      const works = findings.some(({ area, level }) => area === "kvm" && level === "ok");
      assert.equal(info.hypervisor, works ? "QEMU/KVM" : "QEMU");
      assert.equal(info.attention.some((text) => text.startsWith("KVM cannot be used")), !works);
      assert.ok((await Deno.readTextFile("/proc/cpuinfo")).includes(info.cpuModel));
      assert.ok(info.totalVms >= info.activeVms);
    });
    await t.step("get_host_stats(), and its ticks", async () => {
      await using log = await EventLog.open(server);
      const first = await log.waitFor("host-stats-updated");
      await log.waitFor("host-stats-updated", ({ timestamp }) => timestamp > first.data.timestamp);
      let seen: number[] = [];
      // Between a tick and our own look the guests of other tests may have taken some
      await until("as much free memory as the kernel tells", async () => {
        const { memoryFreeMb } = await call(server, "get_host_info");
        seen = [memoryFreeMb, await availableMb()];
        return Math.abs(seen[0]! - seen[1]!) < totalMb * 0.15;
      }, { lastSeen: () => seen.join() });
      const stats = await call(server, "get_host_stats");
      assert.ok(stats.cpuUsagePercent !== null && stats.cpuUsagePercent >= 0 && stats.cpuUsagePercent <= 100);
      assert.ok(Math.abs(stats.memoryTotalMb - totalMb) <= 1);
      assert.ok(stats.memoryUsedMb! > 0 && stats.memoryUsedMb! < totalMb);
      assert.equal(stats.loadAverage?.length, 3);
      const uptime = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
      assert.ok(Math.abs(stats.uptimeSeconds! - uptime) < 10);
      assert.ok(Math.abs(stats.timestamp - Date.now()) < 5000);
    });
    await t.step("get_connection_status()", async () => {
      const { since, ...status } = await call(server, "get_connection_status");
      assert.deepEqual(status, { connected: true, uri: URI, error: null, status: "connected" });
      assert.ok(since <= Date.now() && since >= began);
    });
    await t.step("get_activity() is bounded and checks its input", async () => {
      assert.ok((await call(server, "get_activity", { limit: 1 })).length <= 1);
      assert.deepEqual(await call(server, "get_activity", { vmId: "nobody" }), []);
      for (const limit of [0, 501, 1.5]) {
        await refused(call(server, "get_activity", { limit }), "InvalidInput", /limit/);
      }
    });
  },
});
