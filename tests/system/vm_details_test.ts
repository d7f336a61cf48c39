/** What is kept with a machine, its XML, its screen's place, its load and addresses: against virsh. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { call, EventLog, known, refused, shows } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const reason = await requirement("guest");
const systemTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn });

systemTest("get_vm_xml() gives what virsh gives; passwords only when asked", async () => {
  await using vm = await testMachine({
    purpose: "xml",
    guest: false,
    vnc: { password: "s3cret" },
    start: true,
  });
  await using server = await startServer();
  const vmId = vm.uuid;
  await known(server, vmId);
  assert.equal((await call(server, "get_vm_xml", { vmId })).xml.trim(), (await vm.xml()).trim());
  assert.equal(
    (await call(server, "get_vm_xml", { vmId, inactive: true })).xml.trim(),
    (await vm.xml("--inactive")).trim(),
  );
  assert.doesNotMatch((await call(server, "get_vm_xml", { vmId })).xml, /s3cret/);
  assert.match((await call(server, "get_vm_xml", { vmId, secure: true })).xml, /s3cret/);
  assert.doesNotMatch(server.log(), /s3cret/);
});

systemTest("get_vnc_info() tells address, password or socket, and what has none", async () => {
  await using tcp = await testMachine({
    purpose: "vnc",
    guest: false,
    vnc: { password: "s3cret" },
    start: true,
  });
  await using socket = await testMachine({
    purpose: "vnc",
    guest: false,
    vnc: { socket: true },
    start: true,
  });
  await using none = await testMachine({ purpose: "vnc", guest: false, start: true });
  await using server = await startServer();
  for (const vm of [tcp, socket, none]) await known(server, vm.uuid);
  const port = 5900 + Number((await virsh("vncdisplay", tcp.name)).split(":").at(-1));
  assert.deepEqual(await call(server, "get_vnc_info", { vmId: tcp.uuid }), {
    host: "127.0.0.1",
    port,
    password: "s3cret",
  });
  assert.equal((await call(server, "get_vm", { vmId: tcp.uuid })).vncPort, port);
  const local = await call(server, "get_vnc_info", { vmId: socket.uuid });
  assert.equal(local.port, null);
  assert.ok((await Deno.stat(local.socket!)).isSocket);
  await refused(
    call(server, "get_vnc_info", { vmId: none.uuid }),
    "VncNotConfigured",
    "VNC not configured for this VM",
  );
});

systemTest("loads follow real work, totals match virsh domstats, a stopped machine has zeros", async () => {
  await using vm = await testMachine({ purpose: "load", disks: [{}], start: true });
  await using server = await startServer();
  const vmId = vm.uuid;
  await known(server, vmId);
  await vm.waitForAgent();
  await using _watching = await EventLog.open(server);
  await vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", "while :; do :; done"] });
  await until(
    "the load to show",
    async () => (await call(server, "get_vm_stats", { vmId })).cpuUsagePercent > 10,
    { seconds: 20, every: 500 },
  );
  const stats = await call(server, "get_vm_stats", { vmId });
  assert.ok(stats.memoryUsedMb > 5 && stats.memoryUsedMb <= 256, `${stats.memoryUsedMb} MiB`);
  assert.equal(stats.memoryAvailableMb, 256);
  const witness = await virsh("domstats", "--block", vm.name);
  const read = Number(/block\.0\.rd\.bytes=(\d+)/.exec(witness)?.[1]);
  await until(
    "the totals to match",
    async () => (await call(server, "get_vm_stats", { vmId })).diskReadBytes === read,
    { seconds: 6 },
  );
  await call(server, "force_stop_vm", { vmId });
  const { timestamp: _at, ...rest } = await call(server, "get_vm_stats", { vmId });
  assert.deepEqual(Object.values(rest).filter((value) => value !== 0), [vmId]);
});

systemTest("addresses come from leases and the agent; an agent that hangs delays no list", async () => {
  await using network = await testNetwork();
  await using vm = await testMachine({ purpose: "address", network, start: true });
  await using server = await startServer();
  await using _watching = await EventLog.open(server);
  await vm.waitForBoot();
  const address = await vm.waitForLease();
  const shown = await shows(server, vm.uuid, (each) => each.networkInterfaces[0]?.ipAddress === address, {
    seconds: 20,
  });
  assert.ok(shown.networkInterfaces[0]!.ipAddresses.includes(`${address}/24`));
  await vm.waitForAgent();
  const agentPid = Number(
    (await vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", "kill -STOP $(pidof qemu-ga)"] }) as {
      pid: number;
    }).pid,
  );
  assert.ok(agentPid > 0);
  const until10 = performance.now() + 6000;
  let slowest = 0;
  while (performance.now() < until10) {
    const at = performance.now();
    await call(server, "get_vms");
    slowest = Math.max(slowest, performance.now() - at);
    await delay(100);
  }
  assert.ok(slowest < 1500, `a list took ${slowest} ms`);
});

systemTest("get_host_info(), get_host_stats() and get_connection_status() match virsh", async () => {
  await using server = await startServer();
  const info = await call(server, "get_host_info");
  const node = await virsh("nodeinfo");
  const version = await virsh("version");
  assert.equal(info.cpuThreads, Number(/CPU\(s\):\s+(\d+)/.exec(node)?.[1]));
  assert.equal(info.libvirtVersion, /Using library: libvirt ([\d.]+)/.exec(version)?.[1]);
  assert.equal(info.qemuVersion, /Running hypervisor: QEMU ([\d.]+)/.exec(version)?.[1]);
  assert.equal(info.hostname, await virsh("hostname"));
  const total = Number(/total\s*:\s*(\d+)/.exec(await virsh("nodememstats"))?.[1]);
  assert.equal(info.memoryTotalMb, Math.round(total / 1024));
  const stats = await until("two readings", async () => {
    const now = await call(server, "get_host_stats");
    return now.cpuUsagePercent === null ? null : now;
  }, { seconds: 40, every: 500 });
  assert.ok(stats.cpuUsagePercent! >= 0 && stats.cpuUsagePercent! <= 100);
  const { since, ...status } = await call(server, "get_connection_status");
  assert.ok(since <= Date.now());
  assert.deepEqual(status, { connected: true, error: null, status: "connected", uri: "qemu:///system" });
});
