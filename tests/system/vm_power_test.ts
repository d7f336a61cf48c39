/** Power commands on a real guest, with virsh as the independent witness. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, EventLog, known, refused, shows } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("guest");
const systemTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn });

const NOWHERE = "00000000-0000-4000-8000-000000000000";

systemTest("power commands change a real machine, and say exactly why not", async (t) => {
  await using vm = await testMachine({ purpose: "power", disks: [{}] });
  await using server = await startServer();
  await using log = await EventLog.open(server);
  const vmId = vm.uuid;
  await known(server, vmId);

  await t.step("stopped: only a start makes sense", async () => {
    for (
      const name of ["stop_vm", "force_stop_vm", "pause_vm", "reboot_vm", "reset_vm", "suspend_vm"] as const
    ) {
      await refused(call(server, name, { vmId }), "VmNotRunning", "VM is not running");
    }
    await refused(call(server, "resume_vm", { vmId }), "VmNotPaused", "VM is not paused");
    await refused(call(server, "get_vnc_info", { vmId }), "VmNotRunning", "VM is not running");
  });

  await t.step("start_vm() starts it; the answer, the events and virsh agree", async () => {
    const from = log.events.length;
    await call(server, "start_vm", { vmId });
    assert.equal(await vm.state(), "running");
    const shown = await call(server, "get_vm", { vmId });
    assert.equal(shown.state, "running");
    assert.ok(Math.abs(Date.now() - shown.startedAt!) < 20_000);
    await log.waitFor("vm-updated", (data) => data.vm.id === vmId && data.vm.operation === "starting", {
      from,
    });
    await log.waitFor("vm-state-changed", (data) => data.vmId === vmId && data.state === "running", { from });
    await refused(call(server, "start_vm", { vmId }), "VmAlreadyRunning", "VM is already running");
    await refused(call(server, "resume_vm", { vmId }), "VmNotPaused", "VM is not paused");
    await refused(
      call(server, "delete_vm", { vmId }),
      "VmStillRunning",
      "Cannot delete running VM. Stop it first.",
    );
  });

  await t.step("pause_vm() and resume_vm()", async () => {
    await call(server, "pause_vm", { vmId });
    assert.equal(await vm.state(), "paused");
    assert.equal((await call(server, "get_vm", { vmId })).state, "paused");
    await refused(call(server, "pause_vm", { vmId }), "VmNotRunning", "VM is not running");
    await call(server, "resume_vm", { vmId });
    assert.equal(await vm.state(), "running");
  });

  await t.step("what virsh does is shown within a second, and told", async () => {
    const from = log.events.length;
    const at = performance.now();
    await virsh("suspend", vm.name);
    const told = await log.waitFor(
      "vm-state-changed",
      (data) => data.vmId === vmId && data.state === "paused",
      { from },
    );
    assert.ok(told.at - at < 1000, `${told.at - at} ms`);
    await virsh("resume", vm.name);
    await shows(server, vmId, (shown) => shown.state === "running", { seconds: 1, every: 10 });
  });

  await t.step("reboot_vm() restarts the guest, by its agent", async () => {
    await vm.waitForBoot();
    await vm.waitForAgent();
    await shows(server, vmId, (shown) => shown.guestAgent === "connected");
    await call(server, "reboot_vm", { vmId });
    await vm.waitForBoot(2);
    assert.equal(await vm.state(), "running");
  });

  await t.step("reset_vm() restarts it without asking the guest", async () => {
    await call(server, "reset_vm", { vmId });
    await vm.waitForBoot(3);
    assert.equal(await vm.state(), "running");
  });

  await t.step("suspend_vm() saves its memory, start_vm() goes on from there", async () => {
    await vm.waitForAgent();
    await call(server, "suspend_vm", { vmId });
    assert.equal(await vm.state(), "shut off");
    assert.match(await virsh("dominfo", vm.name), /Managed save:\s+yes/);
    assert.equal((await call(server, "get_vm", { vmId })).state, "suspended");
    await call(server, "start_vm", { vmId });
    assert.equal((await call(server, "get_vm", { vmId })).stateReason, "restored");
    await vm.waitForAgent();
  });

  await t.step("stop_vm() shuts the guest down, by its agent", async () => {
    await shows(server, vmId, (shown) => shown.guestAgent === "connected");
    await call(server, "stop_vm", { vmId });
    await vm.waitFor("shut off");
    const shown = await shows(server, vmId, ({ state }) => state === "stopped");
    assert.equal(shown.stateReason, "shut down");
  });

  await t.step("force_stop_vm() pulls the plug, also of a paused machine", async () => {
    await call(server, "start_vm", { vmId });
    await call(server, "pause_vm", { vmId });
    await call(server, "force_stop_vm", { vmId });
    assert.equal(await vm.state(), "shut off");
    assert.equal((await call(server, "get_vm", { vmId })).state, "stopped");
  });

  await t.step("get_activity() has every change, with who and what", async () => {
    const rows = await call(server, "get_activity", { vmId, limit: 100 });
    const actions = new Set(rows.map((row) => row.action));
    for (
      const name of [
        "start_vm",
        "pause_vm",
        "resume_vm",
        "reboot_vm",
        "reset_vm",
        "suspend_vm",
        "stop_vm",
        "force_stop_vm",
      ]
    ) {
      assert.ok(actions.has(name), name);
    }
    assert.ok(rows.some((row) => row.actor === "libvirt" && row.action === "suspended"), "virsh's suspend");
    const failed = rows.find((row) => row.action === "start_vm" && row.result === "error");
    assert.equal(failed?.message, "VM is already running");
    assert.ok(rows.every((row) => row.vmName === vm.name));
  });
});

systemTest("stop_vm() uses ACPI where there is no agent", async () => {
  await using vm = await testMachine({ purpose: "acpi", agent: false, start: true });
  await using server = await startServer();
  await known(server, vm.uuid);
  await vm.waitForBoot();
  await call(server, "reboot_vm", { vmId: vm.uuid });
  await vm.waitForBoot(2);
  await call(server, "stop_vm", { vmId: vm.uuid });
  await vm.waitFor("shut off");
});

systemTest("two operations on one machine: the second is told to wait, force_stop_vm() is not", async () => {
  await using vm = await testMachine({ purpose: "busy", guest: false });
  await using server = await startServer();
  const vmId = vm.uuid;
  await known(server, vmId);
  const starting = call(server, "start_vm", { vmId });
  await refused(call(server, "set_autostart", { vmId, autostart: true }), "VmBusy", /starting/);
  await starting;
  const suspending = call(server, "suspend_vm", { vmId }).catch((error) => error);
  await call(server, "force_stop_vm", { vmId }).catch((error) => error);
  await suspending;
  await vm.waitFor("shut off");
});

systemTest("a start that fails says libvirt's reason and leaves the machine as it was", async () => {
  await using vm = await testMachine({ purpose: "nodisk", guest: false, disks: [{}] });
  await using server = await startServer();
  await known(server, vm.uuid);
  await Deno.remove(vm.disks[0]!);
  await refused(
    call(server, "start_vm", { vmId: vm.uuid }),
    "StartFailed",
    /^Failed to start VM: .*No such file/,
  );
  const shown = await call(server, "get_vm", { vmId: vm.uuid });
  assert.equal(shown.state, "stopped");
  assert.equal(shown.operation, undefined);
});

systemTest(
  "unknown and strange ids are VmNotFound or InvalidInput, for every command on one machine",
  async () => {
    await using server = await startServer();
    const names = [
      "get_vm",
      "start_vm",
      "stop_vm",
      "force_stop_vm",
      "pause_vm",
      "resume_vm",
      "reboot_vm",
      "reset_vm",
    ] as const;
    for (
      const name of [
        ...names,
        "suspend_vm",
        "delete_vm",
        "get_vm_xml",
        "get_vm_stats",
        "get_vnc_info",
      ] as const
    ) {
      await refused(call(server, name, { vmId: NOWHERE }), "VmNotFound", `VM not found: ${NOWHERE}`);
      await refused(call(server, name, { vmId: "'; DROP\u0000\u202e<b>" }), "VmNotFound");
      await refused(call(server, name, { vmId: "" }), "InvalidInput");
    }
  },
);

systemTest("batch commands report each machine", async () => {
  await using one = await testMachine({ purpose: "batch", guest: false });
  await using two = await testMachine({ purpose: "batch", guest: false, start: true });
  await using server = await startServer();
  await known(server, one.uuid);
  await known(server, two.uuid);
  const vmIds = [one.uuid, two.uuid, NOWHERE];
  const started = await call(server, "batch_start_vms", { vmIds });
  assert.deepEqual(started.results.map(({ vmId, success, error }) => [vmId, success, error?.message]), [
    [one.uuid, true, undefined],
    [two.uuid, false, "VM is already running"],
    [NOWHERE, false, `VM not found: ${NOWHERE}`],
  ]);
  assert.deepEqual([started.succeeded, started.failed], [1, 2]);
  assert.equal(await one.state(), "running");
  assert.equal((await call(server, "batch_reboot_vms", { vmIds: [one.uuid] })).succeeded, 1);
  assert.equal((await call(server, "batch_stop_vms", { vmIds: [one.uuid, two.uuid] })).succeeded, 2);
  const off = await call(server, "batch_force_stop_vms", { vmIds });
  assert.deepEqual(off.results.map((result) => result.success), [true, true, false]);
  assert.deepEqual([await one.state(), await two.state()], ["shut off", "shut off"]);
  await refused(call(server, "batch_start_vms", { vmIds: [] }), "InvalidInput");
  await refused(call(server, "batch_start_vms", { vmIds: [one.uuid, one.uuid] }), "InvalidInput");
});
