/** Power: every command in every state, its exact refusals, its events, and changes by virsh at the same time. */
import assert from "node:assert/strict";
import type { CommandName, ErrorCode, VmState } from "../../lib/contract/mod.ts";
import { freeze, thaw, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { call, EventLog, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("power") !== null;

const POWER = [
  "start_vm",
  "stop_vm",
  "force_stop_vm",
  "pause_vm",
  "resume_vm",
  "reboot_vm",
  "reset_vm",
  "suspend_vm",
  "discard_saved_memory",
] as const satisfies readonly CommandName[];
type Power = typeof POWER[number];

const OFF: Refusal = ["VmNotRunning", "VM is not running"];
const ON: Refusal = ["VmAlreadyRunning", "VM is already running"];
const NOT_SAVED: Refusal = ["NoSavedMemory", "VM has no saved memory"];
const NOT_PAUSED: Refusal = ["VmNotPaused", "VM is not paused"];
type Refusal = readonly [ErrorCode, string];

/** State → what is refused in it, and how. */
const REFUSALS: Partial<Record<VmState, Partial<Record<Power, Refusal>>>> = {
  stopped: {
    stop_vm: OFF,
    force_stop_vm: OFF,
    pause_vm: OFF,
    resume_vm: NOT_PAUSED,
    reboot_vm: OFF,
    reset_vm: OFF,
    suspend_vm: OFF,
    discard_saved_memory: NOT_SAVED,
  },
  running: { start_vm: ON, resume_vm: NOT_PAUSED, discard_saved_memory: NOT_SAVED },
  paused: { start_vm: ON, stop_vm: OFF, pause_vm: OFF, reboot_vm: OFF, discard_saved_memory: NOT_SAVED },
  // force_stop_vm and discard_saved_memory give its memory up: saved_memory_test.ts
  suspended: {
    stop_vm: OFF,
    pause_vm: OFF,
    resume_vm: NOT_PAUSED,
    reboot_vm: OFF,
    reset_vm: OFF,
    suspend_vm: OFF,
  },
};

Deno.test({
  name: "power() takes a guest through its life, refuses what does not fit, and tells all of it",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "power", memoryMiB: 192 });
    await using server = await readyServer();
    await using log = await EventLog.open(server);
    const vmId = vm.uuid;
    const reaches = (state: VmState) => shows(server, vmId, (now) => now.state === state, { seconds: 40 });
    await reaches("stopped");

    const refusesIn = async (state: keyof typeof REFUSALS) => {
      for (const [command, [code, message]] of Object.entries(REFUSALS[state]!)) {
        await refused(call(server, command as Power, { vmId }), code, message);
      }
    };
    /** Checks that the result of a command is seen by its caller, by virsh and by listeners. */
    const becomes = async (command: Power, state: VmState, theirs: string, label: string) => {
      const from = log.events.length;
      assert.equal(await call(server, command, { vmId }), null);
      assert.equal((await call(server, "get_vm", { vmId })).state, state);
      assert.equal(await vm.state(), theirs);
      await log.waitFor("vm-state-changed", (data) => data.vmId === vmId && data.state === state, { from });
      await log.waitFor("vm-updated", (data) => data.vm.id === vmId && data.vm.operation === label, { from });
      const done = await log.waitFor("activity", (data) => data.vmId === vmId && data.action === command, {
        from,
      });
      assert.deepEqual([done.data.result, done.data.vmName, done.data.actor], ["ok", vm.name, "tester"]);
      assert.equal((await call(server, "get_vm", { vmId })).operation, undefined);
    };

    await t.step("unknown machines are not found", async () => {
      for (const command of POWER) {
        const unknown = crypto.randomUUID();
        await refused(call(server, command, { vmId: unknown }), "VmNotFound", `VM not found: ${unknown}`);
      }
    });
    await t.step("stopped: what does not fit is refused", () => refusesIn("stopped"));
    await t.step("start_vm()", async () => {
      await becomes("start_vm", "running", "running", "starting");
      assert.ok(Math.abs((await call(server, "get_vm", { vmId })).startedAt! - Date.now()) < 5000);
      await vm.waitForBoot();
      await shows(server, vmId, (now) => now.guestAgent === "connected", { seconds: 40 });
    });
    await t.step("running: what does not fit is refused", () => refusesIn("running"));
    await t.step("pause_vm()", () => becomes("pause_vm", "paused", "paused", "pausing"));
    await t.step("paused: what does not fit is refused", () => refusesIn("paused"));
    await t.step("resume_vm()", () => becomes("resume_vm", "running", "running", "resuming"));
    await t.step("reset_vm() starts the guest again in the same QEMU", async () => {
      const pid = await vm.qemuPid();
      await call(server, "reset_vm", { vmId });
      await vm.waitForBoot(2);
      assert.equal(await vm.qemuPid(), pid);
    });
    await t.step("reboot_vm() asks the guest", async () => {
      const pid = await vm.qemuPid();
      await vm.waitForAgent();
      await call(server, "reboot_vm", { vmId });
      await vm.waitForBoot(3);
      assert.equal(await vm.qemuPid(), pid);
      assert.equal((await call(server, "get_vm", { vmId })).state, "running");
    });
    await t.step("suspend_vm() saves, start_vm() goes on where it was", async () => {
      await vm.waitForAgent();
      const before = await vm.boots();
      await becomes("suspend_vm", "suspended", "shut off", "suspending");
      assert.match(await virsh("dominfo", vm.name), /Managed save:\s+yes/);
      await refusesIn("suspended");
      await becomes("start_vm", "running", "running", "starting");
      await vm.waitForAgent();
      assert.match(await virsh("dominfo", vm.name), /Managed save:\s+no/);
      // the log of the console began again with this QEMU: a guest that had booted would have written to it
      assert.ok(await vm.boots() === 0 && before === 3, `${before} boots, then ${await vm.boots()}`);
    });
    await t.step("what virsh does arrives within a second", async () => {
      const steps = [
        ["suspend", "paused"],
        ["resume", "running"],
        ["managedsave", "suspended"],
        [
          "start",
          "running",
        ],
        ["destroy", "stopped"],
        ["start", "running"],
      ] as const;
      for (const [verb, state] of steps) {
        const from = log.events.length;
        await virsh(verb, vm.name);
        const done = performance.now();
        const told = await log.waitFor(
          "vm-state-changed",
          (data) => data.vmId === vmId && data.state === state,
          { from },
        );
        assert.ok(told.at - done < 1000, `${verb}: ${told.at - done} ms`);
        await reaches(state);
      }
      const told = (await call(server, "get_activity", { vmId, limit: 50 })).filter((row) =>
        row.actor === "libvirt"
      );
      for (const action of ["suspended", "resumed", "stopped", "started"]) {
        assert.ok(told.some((row) => row.action === action && row.result === "event"), action);
      }
    });
    await t.step("stop_vm() through the guest agent", async () => {
      await vm.waitForBoot();
      await shows(server, vmId, (now) => now.guestAgent === "connected", { seconds: 40 });
      const from = log.events.length;
      await call(server, "stop_vm", { vmId });
      await reaches("stopped");
      assert.equal(await vm.state(), "shut off");
      await log.waitFor("vm-state-changed", (data) => data.vmId === vmId && data.state === "stopped", {
        from,
      });
      assert.equal((await call(server, "get_vm", { vmId })).startedAt, undefined);
    });
    await t.step("force_stop_vm(), also of a paused machine", async () => {
      await call(server, "start_vm", { vmId });
      await call(server, "pause_vm", { vmId });
      await becomes("force_stop_vm", "stopped", "shut off", "powering off");
      assert.equal(await vm.qemuPid(), null);
    });
    await t.step(
      "a second command is refused while one is under way, but force_stop_vm() is not",
      async () => {
        await call(server, "start_vm", { vmId });
        const pid = await vm.qemuPid() ?? assert.fail("no QEMU");
        await freeze(pid);
        try {
          const hanging = call(server, "pause_vm", { vmId });
          hanging.catch(() => {/* looked at below */});
          await shows(server, vmId, (now) => now.operation === "pausing");
          const text = "VM is busy with another operation (pausing). Wait for it to end, then try again.";
          await refused(call(server, "reset_vm", { vmId }), "VmBusy", text);
          await refused(call(server, "set_tags", { vmId, tags: ["x"] }), "VmBusy", text);
          const forced = call(server, "force_stop_vm", { vmId });
          await thaw(pid);
          await forced;
          await hanging.catch(() => {/* it may have come too late for a machine that is off */});
        } finally {
          await thaw(pid);
        }
        await reaches("stopped");
        await shows(server, vmId, (now) => now.operation === undefined);
      },
    );
    await t.step("a failed start says why, and is recorded", async () => {
      await Deno.mkdir(`${vm.serialLog}-gone`);
      const broken = (await vm.xml("--inactive")).replaceAll(`'${vm.serialLog}'`, `'${vm.serialLog}-gone'`);
      const file = `${vm.serialLog}.xml`;
      await Deno.writeTextFile(file, broken);
      await virsh("define", file);
      const error = await call(server, "start_vm", { vmId }).then(() => null, (error) => error.body);
      assert.equal(error?.code, "StartFailed");
      assert.match(error.message, /^Failed to start VM: .*-gone/s);
      const [row] = await call(server, "get_activity", { vmId, limit: 1 });
      assert.deepEqual([row?.action, row?.result, row?.message], ["start_vm", "error", error.message]);
      assert.equal((await call(server, "get_vm", { vmId })).state, "stopped");
    });
  },
});

Deno.test({
  name: "stop_vm() and reboot_vm() press the power button where there is no agent",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "power", agent: false, start: true });
    await using server = await readyServer();
    await shows(server, vm.uuid, (now) => now.state === "running" && now.guestAgent === "not configured");
    await vm.waitForBoot();
    await call(server, "stop_vm", { vmId: vm.uuid });
    await shows(server, vm.uuid, (now) => now.state === "stopped", { seconds: 40 });
    assert.equal(await vm.state(), "shut off");
  },
});

Deno.test({
  name: "power() of a transient machine: what needs a definition is refused, and it vanishes when it stops",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "power", guest: false });
    const file = `${vm.serialLog}.xml`;
    await Deno.writeTextFile(file, await vm.xml("--inactive"));
    await virsh("undefine", vm.name);
    await virsh("create", file);
    await using server = await readyServer();
    const vmId = vm.uuid;
    const text = "VM is transient: it disappears when it stops, so this setting cannot be kept";
    assert.equal((await shows(server, vmId, (now) => now.state === "running")).persistent, false);
    await refused(call(server, "suspend_vm", { vmId }), "VmNotPersistent", text);
    await refused(call(server, "set_autostart", { vmId, autostart: true }), "VmNotPersistent", text);
    await refused(call(server, "delete_vm", { vmId }), "VmStillRunning");
    await call(server, "force_stop_vm", { vmId });
    await refused(call(server, "get_vm", { vmId }), "VmNotFound");
  },
});

Deno.test({
  name: "power() tells the losers of a race what the VM is, not what libvirt says of it",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "race", memoryMiB: 128 });
    await using first = await readyServer();
    await using second = await readyServer();
    const servers = [first, second, first, second];
    const vmId = vm.uuid;
    /** Codes of those that were not the first. */
    const losers = async (command: Power) => {
      const asked = await Promise.allSettled(servers.map((server) => call(server, command, { vmId })));
      return asked.flatMap((each) => each.status === "rejected" ? [each.reason.body.code] : []);
    };
    for (let round = 0; round < 6; round++) {
      for (
        const [command, code] of [
          ["start_vm", "VmAlreadyRunning"],
          ["pause_vm", "VmNotRunning"],
          ["resume_vm", "VmNotPaused"],
          ["force_stop_vm", "VmNotRunning"],
        ] as const
      ) {
        // The other server may be carrying it out still, as its own operation.
        for (const told of await losers(command)) {
          assert.ok([code, "VmBusy"].includes(told), `${command}: ${told}`);
        }
        const [state] = {
          start_vm: ["running"],
          pause_vm: ["paused"],
          resume_vm: ["running"],
          force_stop_vm: ["stopped"],
        }[command];
        for (const server of [first, second]) await shows(server, vmId, (now) => now.state === state);
      }
    }
  },
});
