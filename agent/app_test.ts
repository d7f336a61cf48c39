import assert from "node:assert/strict";
import { LibvirtError } from "../ffi/error.ts";
import { libvirtTest, SHARED, testMachine, until } from "../ffi/testing.ts";
import type { Api } from "../lib/contract/api.ts";
import { ContractError, type ErrorCode } from "../lib/contract/mod.ts";
import { localPrincipal } from "./testing.ts";
import { setLogLevel } from "./log.ts";
import { Application } from "./app.ts";
import type { Settings } from "./settings.ts";

setLogLevel("error");

/** Settings of the listeners: there are none here. */
const DOORS = {
  listen: [],
  tlsCert: "auto",
  tlsKey: "auto",
  hsts: "auto",
  hostName: [],
  trustedProxy: [],
  grpcListen: [],
  basePath: "/",
} as const;

const testSettings = (dataDir: string): Settings => ({
  ...DOORS,
  uri: SHARED,
  dataDir,
  runtimeDir: dataDir,
  socketGroup: "none",
  socketRole: "operator",
  virtType: "auto",
  overcommit: "refuse",
  logLevel: "error",
  journal: "off",
  pam: "off",
  imageCatalog: "builtin",
  metricsInterval: 30,
  guestInterval: 300,
  metricsEndpoint: "off",
  hookPrograms: "off",
  binDays: 0,
  demo: true,
});

/** A whole application on libvirt's test driver, with one stopped machine of our own. */
async function testAgent() {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const agent = new Application(testSettings(dataDir));
  const vmId = crypto.randomUUID(), name = `kvmm-test-${vmId.slice(0, 8)}`;
  agent.start();
  await until("the host is read", () => agent.hosts.local.inventory.filled);
  await agent.hosts.local.link.call("domainDefine", { xml: testMachine(name, vmId) });
  await until("the machine is known", () => agent.hosts.local.inventory.vm(vmId) !== undefined);
  return {
    agent,
    api: agent.apiFor(localPrincipal("page")),
    vmId,
    name,
    dataDir,
    async [Symbol.asyncDispose]() {
      await agent.hosts.local.link.call("domainDestroy", { uuid: vmId }).catch(
        () => {/* it is off already */},
      );
      await agent.hosts.local.link.call("domainUndefine", { uuid: vmId }).catch(
        () => {/* it is gone already */},
      );
      await agent.stop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}
const code = (call: Promise<unknown>): Promise<ErrorCode | "ok"> =>
  call.then(() => "ok" as const, (error) => {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  });

libvirtTest(
  "Agent carries power commands out, and each answer is given when its effect can be seen",
  async () => {
    await using test = await testAgent();
    const { api, vmId, agent } = test;
    const state = () => agent.hosts.local.inventory.vm(vmId)!.state;
    // command → answer and state when stopped, running, paused and suspended
    const steps: [keyof Api, ErrorCode | "ok", string][] = [
      ["stopVm", "VmNotRunning", "stopped"],
      ["forceStopVm", "VmNotRunning", "stopped"],
      ["pauseVm", "VmNotRunning", "stopped"],
      ["resumeVm", "VmNotPaused", "stopped"],
      ["rebootVm", "VmNotRunning", "stopped"],
      ["resetVm", "VmNotRunning", "stopped"],
      ["suspendVm", "VmNotRunning", "stopped"],
      ["startVm", "ok", "running"],
      ["startVm", "VmAlreadyRunning", "running"],
      ["resumeVm", "VmNotPaused", "running"],
      ["deleteVm", "VmStillRunning", "running"],
      ["pauseVm", "ok", "paused"],
      ["pauseVm", "VmNotRunning", "paused"],
      ["startVm", "VmAlreadyRunning", "paused"],
      ["stopVm", "VmNotRunning", "paused"],
      ["resumeVm", "ok", "running"],
      ["suspendVm", "ok", "suspended"],
      ["suspendVm", "VmNotRunning", "suspended"],
      ["startVm", "ok", "running"],
      ["discardSavedMemory", "NoSavedMemory", "running"],
      ["suspendVm", "ok", "suspended"],
      ["discardSavedMemory", "ok", "stopped"],
      ["discardSavedMemory", "NoSavedMemory", "stopped"],
      ["startVm", "ok", "running"],
      ["suspendVm", "ok", "suspended"],
      ["forceStopVm", "ok", "stopped"],
      ["startVm", "ok", "running"],
      ["forceStopVm", "ok", "stopped"],
      ["startVm", "ok", "running"],
      ["stopVm", "ok", "stopped"],
    ];
    for (const [index, [command, answer, after]] of steps.entries()) {
      assert.equal(
        await code((api[command] as (input: unknown) => Promise<unknown>)({ vmId })),
        answer,
        `step ${index}: ${command}`,
      );
      assert.equal(state(), after, `step ${index}: ${command}`);
    }
    assert.equal(await code(api.startVm({ vmId: crypto.randomUUID() })), "VmNotFound");
  },
);

libvirtTest(
  "Agent refuses a power command only for what libvirt says now, not for an event that comes late",
  async () => {
    await using test = await testAgent();
    const { api, vmId, name, agent } = test;
    await api.startVm({ vmId });
    await api.pauseVm({ vmId });
    // "Resumed", from before the pause: it is shown for a moment.
    agent.hosts.local.inventory.onEvents([{
      kind: "domain",
      event: "lifecycle",
      uuid: vmId,
      name,
      args: [4, 0],
    }]);
    assert.equal(agent.hosts.local.inventory.vm(vmId)!.state, "running", "the test can fail");
    await api.resumeVm({ vmId });
    assert.equal(agent.hosts.local.inventory.vm(vmId)!.state, "running");
  },
);

libvirtTest("App keeps tags, group and autostart, and shows them at once", async () => {
  await using test = await testAgent();
  const { api, vmId } = test;
  await api.setTags({ vmId, tags: ["web", `<&"'`] });
  await api.setGroup({ vmId, group: "Shop ]]>" });
  await api.setAutostart({ vmId, autostart: true });
  const { tags, group, autostart } = await api.getVm({ vmId });
  assert.deepEqual({ tags, group, autostart }, { tags: ["web", `<&"'`], group: "Shop ]]>", autostart: true });
  await api.setTags({ vmId, tags: [] });
  await api.setGroup({ vmId, group: "" });
  const after = await api.getVm({ vmId });
  assert.deepEqual([after.tags, "group" in after], [[], false]);
});

libvirtTest("App deletes a machine, and a batch reports each machine for itself", async () => {
  await using test = await testAgent();
  const { api, vmId } = test;
  const unknown = crypto.randomUUID();
  const { results, succeeded, failed } = await api.batchStartVms({ vmIds: [unknown, vmId] });
  assert.deepEqual([succeeded, failed], [1, 1]);
  assert.deepEqual(results.map(({ vmId, success, error }) => [vmId, success, error?.code]), [
    [unknown, false, "VmNotFound"],
    [vmId, true, undefined],
  ]);
  await api.forceStopVm({ vmId });
  assert.deepEqual(await api.deleteVm({ vmId }), { deletedDisks: [], bin: null });
  assert.equal(await code(api.getVm({ vmId })), "VmNotFound");
});

libvirtTest("App records what was done, by whom, and what failed", async () => {
  await using test = await testAgent();
  const { api, vmId, name } = test;
  await api.startVm({ vmId });
  await code(api.startVm({ vmId }));
  const recorded = (await api.getActivity({ vmId })).filter(({ actor }) => actor === "local");
  assert.deepEqual(recorded.map(({ action, result, vmName, message }) => [action, result, vmName, message]), [
    ["start_vm", "error", name, "VM is already running"],
    ["start_vm", "ok", name, undefined],
  ]);
});

libvirtTest("App tells what happens without it, once", async () => {
  await using test = await testAgent();
  const { agent, api, vmId } = test;
  await agent.hosts.local.link.call("domainStart", { uuid: vmId });
  const told = async () =>
    (await api.getActivity({ vmId })).filter(({ actor }) => actor === "libvirt").map(({ action }) => action);
  await until("the start is told", async () => (await told()).includes("started"));
  assert.deepEqual(await told(), ["started"]);
});

libvirtTest("App reports its host and link", async () => {
  await using test = await testAgent();
  const { api } = test;
  const info = await api.getHostInfo();
  assert.equal(info.hypervisor, "test");
  assert.ok(info.totalVms >= 2 && info.cpuThreads > 0 && info.memoryTotalMb > 0);
  assert.match(info.libvirtVersion, /^\d+\.\d+\.\d+$/);
  assert.deepEqual((await api.getConnectionStatus()).connected, true);
  assert.ok((await api.getHostStats()).memoryTotalMb > 0);
});

libvirtTest("App has no list to give before the host was read: unknown is not none", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const uri = "qemu+unix:///system?socket=/no/such/socket";
  const agent = new Application({ ...testSettings(dataDir), uri, demo: false });
  try {
    agent.start();
    const api = agent.apiFor(localPrincipal("page"));
    await until("it is not connected", () => agent.hosts.local.link.status.status === "disconnected");
    for (
      const call of [
        api.getVms(),
        api.getVm({ vmId: "x" }),
        api.startVm({ vmId: "x" }),
        api.getHostInfo(),
        api.getHostStats(),
      ]
    ) {
      assert.equal(await code(call), "LibvirtUnavailable");
    }
    assert.equal(
      (await api.getConnectionStatus()).error,
      "Libvirtd is not running. Please start the service.",
    );
  } finally {
    await agent.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
});

libvirtTest(
  "what was cut short is carried on in the name of who began it, as no call of theirs",
  async () => {
    await using test = await testAgent();
    const { agent, vmId, name } = test, { operations, inventory } = agent.hosts.local;
    const keys = [`vm:${vmId}`], input = { vmId, tags: ["carried-on"] };
    const operation = operations.begin({ command: "update_vm", subject: name, vmId, actor: "ann", keys });
    operation.add({ kind: "change-wanted", command: "update_vm", input });
    await operations.failed(operation, new LibvirtError({ kind: "unavailable", message: "it went away" }));
    await until("the change is made", () => inventory.vm(vmId)?.tags.includes("carried-on") ?? false);
    const rows = () => agent.activity.search({ vmId }).filter(({ action }) => action === "update_vm");
    await until("the audit has the call and what came of the operation", () => rows().length === 2);
    assert.deepEqual(
      rows().map(({ actor, door, result, tookMs }) => [actor, door, result, typeof tookMs === "number"])
        .sort(),
      [["ann", "agent", "ok", false], ["ann", "agent", "ok", true]],
    );
  },
);
