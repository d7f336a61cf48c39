/** Saved memory of suspended VMs: a state that can be entered can be left, whatever became of the file. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testMachine } from "../testbed/machine.ts";
import { exists } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** Path of libvirt's saved memory of a suspended VM. */
const savedAt = (name: string) => `/var/lib/libvirt/qemu/save/${name}.save`;

/** Overwrites the head of saved memory, by which libvirt knows it. */
async function damage(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.write(new Uint8Array(64));
}

Deno.test({
  name: "a suspended VM whose saved memory is damaged is told how to get on, and each way leads on",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "saved", guest: false, disks: [{}] });
    const vmId = vm.uuid, saved = savedAt(vm.name);
    await known(server, vmId);
    const suspended = async () => {
      await call(server, "start_vm", { vmId });
      await call(server, "suspend_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "suspended");
      await damage(saved);
    };
    const ways = {
      "discard_saved_memory": () => call(server, "discard_saved_memory", { vmId }),
      "force_stop_vm": () => call(server, "force_stop_vm", { vmId }),
      "batch_force_stop_vms": async () => {
        assert.equal((await call(server, "batch_force_stop_vms", { vmIds: [vmId] })).failed, 0);
      },
    };
    for (const [name, way] of Object.entries(ways)) {
      await t.step(name, async () => {
        await suspended();
        await refused(
          call(server, "start_vm", { vmId }),
          "ContinueFailed",
          /^Failed to continue the suspended VM: .+\. If its saved memory is damaged, discard it: the VM boots then/,
        );
        await refused(
          call(server, "start_vm", { vmId, bootFrom: "disk" }),
          "BootWouldResume",
          /discard its saved memory/,
        );
        await way();
        assert.equal(await vm.state(), "shut off");
        assert.equal(await exists(saved), false);
        assert.equal((await call(server, "get_vm", { vmId })).state, "stopped");
        await call(server, "start_vm", { vmId });
        assert.equal(await vm.state(), "running");
        await call(server, "force_stop_vm", { vmId });
      });
    }
    await t.step("where there is none it is said so, and nothing ends", async () => {
      await refused(
        call(server, "discard_saved_memory", { vmId }),
        "NoSavedMemory",
        "VM has no saved memory",
      );
      await call(server, "start_vm", { vmId });
      await refused(
        call(server, "discard_saved_memory", { vmId }),
        "NoSavedMemory",
        "VM has no saved memory",
      );
      assert.equal(await vm.state(), "running");
      await call(server, "force_stop_vm", { vmId });
    });
    await t.step("the command line asks first", async () => {
      const line = new CommandLine({ KVMM_SOCKET: server.socket });
      for (const verb of ["discard-saved-memory", "force-stop", "managedsave-remove"]) {
        await suspended();
        assert.notEqual((await line.run(["vm", verb, vm.name])).status, 0, verb);
        assert.equal(await exists(saved), true, verb);
        const { status, err } = await line.run(["vm", verb, vm.name, "-y"]);
        assert.equal(status, 0, err);
        assert.equal(await exists(saved), false, verb);
      }
    });
  },
});

Deno.test({
  name: "memory that an earlier VM of a name has left keeps no new one from starting",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using own = await claimedVm("left");
    await using vm = await testMachine({ purpose: "saved", guest: false });
    const { name } = own, left = savedAt(name);
    const make = () => call(server, "create_vm", { name, memoryMb: 128, nics: [], disks: [] });
    await known(server, vm.uuid);
    await call(server, "start_vm", { vmId: vm.uuid });
    await call(server, "suspend_vm", { vmId: vm.uuid });
    await Deno.copyFile(savedAt(vm.name), left);
    await call(server, "discard_saved_memory", { vmId: vm.uuid });
    const text = new RegExp(`^The saved memory of an earlier VM named ${name} is still there.+: ${left}\\.`);
    await refused(make(), "MemoryLeft", text);
    await refused(call(server, "rename_vm", { vmId: vm.uuid, name }), "MemoryLeft", text);
    await refused(call(server, "clone_vm", { vmId: vm.uuid, name }), "MemoryLeft", text);
    await Deno.rename(left, `${left}.kept`);
    const { id: vmId } = await make();
    // It comes back by another way
    await Deno.rename(`${left}.kept`, left);
    await refused(call(server, "start_vm", { vmId }), "ContinueFailed", /belongs to domain.+discard it/);
    await call(server, "discard_saved_memory", { vmId });
    assert.equal(await exists(left), false);
    await call(server, "start_vm", { vmId });
    await call(server, "force_stop_vm", { vmId });
    await refused(call(server, "discard_saved_memory", { vmId }), "NoSavedMemory");
  },
});
