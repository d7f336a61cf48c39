/** QEMU's log of a VM: its end and no more, of its own file and no other, to those who may see it. */
import assert from "node:assert/strict";
import { CommandLine } from "../testbed/command_line.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { startServer } from "../testbed/server.ts";

const ignore = await requirement("qemu") !== null;
const fileOf = (name: string) => `/var/log/libvirt/qemu/${name}.log`;

Deno.test({
  name: "get_vm_log() gives the end of a VM's own log",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "vmlog", guest: false, disks: [{}] });
    await using server = await readyServer();
    const vmId = vm.uuid, file = fileOf(vm.name);
    await using _gone = { [Symbol.asyncDispose]: () => Deno.remove(file).catch(() => {/* never begun */}) };
    await shows(server, vmId, ({ state }) => state === "stopped");

    await t.step(
      "before its first start there is none",
      () => refused(call(server, "get_vm_log", { vmId }), "VmLogMissing", /first start/),
    );
    await t.step("it has the command line, and the newest lines", async () => {
      await call(server, "start_vm", { vmId });
      await call(server, "force_stop_vm", { vmId });
      const whole = await call(server, "get_vm_log", { vmId });
      assert.match(whole.log, /starting up libvirt version/);
      assert.ok(whole.log.includes(vm.disks[0]!));
      assert.equal(whole.complete, true);
      const last = await call(server, "get_vm_log", { vmId, lines: 2 });
      assert.deepEqual([last.lines, last.complete, last.log.split("\n").length], [2, false, 3]);
      assert.ok(whole.log.endsWith(last.log));
    });
    await t.step("REST and the command line give it", async () => {
      const answer = await fetch(`${server.url}/api/v1/vms/${vmId}/log?lines=1`);
      assert.equal((await answer.json()).lines, 1);
      const { status, out } = await new CommandLine({ KVMM_SOCKET: server.socket })
        .run(["vm", "log", vm.name, "--lines", "3"]);
      assert.deepEqual([status, out.trimEnd().split("\n").length], [0, 3]);
    });
    await t.step("a viewer is refused, an operator of the VM is not", async () => {
      const on = { kind: "vm", vmId } as const;
      const viewer = await personWith(server, "vera", [{ role: "viewer", on }]);
      await refused(viewer.call("get_vm_log", { vmId }), "Forbidden");
      const operator = await personWith(server, "olga", [{ role: "operator", on }]);
      assert.match((await operator.call("get_vm_log", { vmId })).log, /starting up/);
    });
    await t.step("of many MB the end is read, and control characters are shown", async () => {
      const log = await Deno.open(file, { append: true });
      const filler = new TextEncoder().encode(`${"x".repeat(1023)}\n`.repeat(1024));
      for (let mib = 0; mib < 20; mib++) await log.write(filler);
      await log.write(new TextEncoder().encode("\x1b[2Jlast\n"));
      log.close();
      const { log: text, lines, complete } = await call(server, "get_vm_log", { vmId, lines: 5000 });
      assert.ok(text.endsWith("␛[2Jlast\n"));
      assert.ok(lines < 1100 && text.length <= 1 << 20 && !complete);
    });
    await t.step(
      "bounds of the input",
      () => refused(call(server, "get_vm_log", { vmId, lines: 5001 }), "InvalidInput", /lines/),
    );
    await t.step("neither a link nor a folder is followed", async () => {
      await Deno.remove(file);
      await Deno.symlink("/etc/passwd", file);
      await refused(call(server, "get_vm_log", { vmId }), "VmLogUnavailable", /no regular file/);
      await Deno.remove(file);
      await Deno.mkdir(file);
      await refused(call(server, "get_vm_log", { vmId }), "VmLogUnavailable", /no regular file/);
      await Deno.remove(file);
    });
  },
});

Deno.test({
  name: "get_vm_log() finds the log of a VM with an odd name, and nothing outside the folder",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "vmlog", guest: false });
    const name = `${vm.name} ..odd %2f; $(x)`, file = fileOf(name);
    await using _back = {
      [Symbol.asyncDispose]: async () => {
        await virsh("domrename", name, vm.name);
        await Deno.remove(file);
      },
    };
    await virsh("domrename", vm.name, name);
    await Deno.writeTextFile(file, "odd\n");
    await using server = await readyServer();
    await shows(server, vm.uuid, (now) => now.name === name);
    assert.equal((await call(server, "get_vm_log", { vmId: vm.uuid })).log, "odd\n");
  },
});

Deno.test("get_vm_log() says that made-up VMs have no log, and none of a real VM of the name is given", async () => {
  await using server = await startServer({ uri: "test:///default" });
  const { id: vmId } = (await call(server, "get_vms"))[0]!;
  await refused(call(server, "get_vm_log", { vmId }), "VmLogUnavailable", /qemu:\/\/\/system/);
  const page = await fetch(`${server.url}/vms/${vmId}/log`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /The log cannot be shown/);
});
