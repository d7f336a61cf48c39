/** rename_vm: what may be renamed, and to what. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { removeDomain } from "../testbed/removal.ts";
import { call, EventLog, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** Removes a domain that the product made, and gives its name back. */
async function removeFully(name: string): Promise<void> {
  await removeDomain(name);
  await releaseName(name);
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
    });
    await t.step("bad names are refused with the contract's text", async () => {
      await using vm = await testMachine({ purpose: "rename", guest: false });
      await known(server, vm.uuid);
      for (const name of ["", "1st", "a b", "a/b", "../x", "é", "a".repeat(65), "a\nb", "<b>"]) {
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
