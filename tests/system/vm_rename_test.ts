/** rename_vm: what may be renamed, and to what. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CommandLine } from "../testbed/command_line.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { removeDomain } from "../testbed/removal.ts";
import { call, EventLog, known, readyServer, refused, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** Removes a domain that the product made, and gives its name back. */
async function removeFully(name: string): Promise<void> {
  await removeDomain(name);
  await releaseName(name);
}

/** Names that a server remembers a VM to have had. */
function formerNames({ dataDir }: TestServer, vmId: string): string[] {
  const database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
  try {
    return database.prepare("SELECT name FROM former_vm_names WHERE vm_id = ?").all(vmId).map(({ name }) =>
      String(name)
    );
  } finally {
    database.close();
  }
}

const BOUNDS = "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only";

Deno.test({
  name: "rename_vm() renames a stopped machine, and no other",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using log = await EventLog.open(server);
    await t.step("its id, disks, tags and autostart stay", async () => {
      await using vm = await testMachine({ purpose: "rename", guest: false, disks: [{}] });
      await known(server, vm.uuid);
      await call(server, "set_tags", { vmId: vm.uuid, tags: ["kept"] });
      await call(server, "set_autostart", { vmId: vm.uuid, autostart: true });
      const name = await testName("renamed");
      await using _other = { [Symbol.asyncDispose]: () => removeFully(name) };
      await call(server, "rename_vm", { vmId: vm.uuid, name });
      assert.equal(await virsh("domname", vm.uuid), name);
      const now = await call(server, "get_vm", { vmId: vm.uuid });
      assert.deepEqual([now.name, now.tags, now.autostart], [name, ["kept"], true]);
      assert.match(await virsh("dumpxml", name), new RegExp(vm.disks[0]!));
      await log.waitFor("vm-updated", (data) => data.vm.id === vm.uuid && data.vm.name === name);
      assert.deepEqual(await call(server, "rename_vm", { vmId: vm.uuid, name }), null, "to its own name");
      // Whoever may not see the VM is not told its old name either, wherever that was written down.
      await until(
        "the old name to be a former one",
        () => Promise.resolve(formerNames(server, vm.uuid).includes(vm.name)),
      );
    });
    await t.step("bad names are refused with the contract's text", async () => {
      await using vm = await testMachine({ purpose: "rename", guest: false });
      await known(server, vm.uuid);
      for (
        const name of ["", "1st", "a b", "a/b", "../x", "é", "a".repeat(65), "a\nb", "<b>", "-a", "--help"]
      ) {
        await refused(call(server, "rename_vm", { vmId: vm.uuid, name }), "InvalidName", BOUNDS);
      }
      assert.equal(await virsh("domname", vm.uuid), vm.name);
    });
    await t.step("a taken name is refused", async () => {
      await using vm = await testMachine({ purpose: "rename", guest: false });
      await using other = await testMachine({ purpose: "rename", guest: false });
      await known(server, vm.uuid);
      await known(server, other.uuid);
      await refused(
        call(server, "rename_vm", { vmId: vm.uuid, name: other.name }),
        "VmNameExists",
        `VM name already exists: ${other.name}`,
      );
    });
    await t.step("a running machine, and one with saved memory, are refused", async () => {
      await using vm = await testMachine({ purpose: "rename", guest: false, start: true, memoryMiB: 64 });
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const rename = () => call(server, "rename_vm", { vmId: vm.uuid, name: "kvmm-test-never" });
      await refused(rename(), "VmMustBeOff", "VM must be shut down for this (running now)");
      await call(server, "suspend_vm", { vmId: vm.uuid });
      await shows(server, vm.uuid, ({ state }) => state === "suspended");
      await refused(rename(), "VmMustBeOff");
      assert.equal(await virsh("domname", vm.uuid), vm.name);
    });
  },
});

Deno.test({
  name: "A VM whose name begins with a dash works through every door, and can be given another name",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "dash", guest: false, vnc: true, disks: [{}] });
    const vmId = vm.uuid;
    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const said = async (...args: string[]) => {
      const { status, out, err } = await cli.run(args);
      assert.equal(status, 0, err);
      return out;
    };
    await known(server, vmId);
    // The last is what every program takes for its option.
    for (const odd of [`-${vm.name}`, "-h", "--help"]) {
      await virsh("domrename", vmId, "--", odd);
      try {
        await shows(server, vmId, ({ name }) => name === odd);
        await t.step(`${odd.slice(0, 6)}: the API`, async () => {
          await call(server, "start_vm", { vmId });
          await shows(server, vmId, ({ state }) => state === "running");
          assert.equal((await call(server, "screenshot_vm", { vmId })).format, "image/png");
          const { fileName } = await call(server, "get_viewer_file", { vmId });
          assert.doesNotMatch(fileName, /^-/);
          assert.doesNotMatch((await call(server, "export_vm", { vmId })).fileName, /^-/);
          await call(server, "get_vm_devices", { vmId });
          await call(server, "set_tags", { vmId, tags: ["dashed"] });
          await call(server, "suspend_vm", { vmId });
          await call(server, "start_vm", { vmId });
          await call(server, "force_stop_vm", { vmId });
          await shows(server, vmId, ({ state }) => state === "stopped");
          await call(server, "get_delete_plan", { vmId });
        });
        await t.step(`${odd.slice(0, 6)}: the command line, after --`, async () => {
          assert.match(await said("vm", "show", "--", odd), new RegExp(vmId));
          await said("vm", "start", "--", odd);
          await shows(server, vmId, ({ state }) => state === "running");
          await said("vm", "force-stop", "--yes", "--", odd);
          await shows(server, vmId, ({ state }) => state === "stopped");
        });
        await call(server, "rename_vm", { vmId, name: vm.name });
      } finally {
        if (await virsh("domname", vmId) === odd) {
          await virshUnless(/not running/, "destroy", vmId);
          await virsh("domrename", vmId, vm.name);
        }
      }
    }
  },
});
