/** delete_vm: what goes, what stays, what is refused, and that a failure loses nothing. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, EventLog, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

async function defined(name: string): Promise<boolean> {
  return (await virsh("list", "--all", "--name")).split("\n").map((line) => line.trim()).includes(name);
}

Deno.test({
  name: "delete_vm() removes what it is asked to, and nothing else",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using log = await EventLog.open(server);

    await t.step("without its disks they stay", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      await known(server, vm.uuid);
      assert.deepEqual(await call(server, "delete_vm", { vmId: vm.uuid }), { deletedDisks: [], bin: null });
      assert.equal(await defined(vm.name), false);
      assert.equal(await exists(vm.disks[0]!), true);
      await log.waitFor("vm-deleted", ({ vmId }) => vmId === vm.uuid);
      await refused(call(server, "get_vm", { vmId: vm.uuid }), "VmNotFound");
      await refused(call(server, "delete_vm", { vmId: vm.uuid }), "VmNotFound", `VM not found: ${vm.uuid}`);
      const row = (await call(server, "get_activity", { limit: 500 })).find((row) =>
        row.action === "delete_vm" && row.vmId === vm.uuid
      );
      assert.deepEqual([row?.result, row?.vmName], ["ok", vm.name]);
    });
    await t.step("with its disks: a file, and a volume of a pool", async () => {
      await using pool = await testPool("delete");
      await using vm = await testMachine({
        purpose: "delete",
        guest: false,
        disks: [{ format: "raw" }, { pool }],
      });
      await known(server, vm.uuid);
      const { deletedDisks } = await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
      assert.deepEqual([...deletedDisks].sort(), [...vm.disks].sort());
      for (const disk of vm.disks) assert.equal(await exists(disk), false, disk);
      assert.equal(await virsh("vol-list", pool.name), "");
      assert.equal(await defined(vm.name), false);
    });
    await t.step("a running or paused machine is refused", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, start: true, disks: [{}] });
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const text = "Cannot delete running VM. Stop it first.";
      await refused(call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }), "VmStillRunning", text);
      await call(server, "pause_vm", { vmId: vm.uuid });
      await refused(call(server, "delete_vm", { vmId: vm.uuid }), "VmStillRunning", text);
      assert.equal(await vm.state(), "paused");
      assert.equal(await exists(vm.disks[0]!), true);
    });
    await t.step("a disk that another machine uses is refused before anything is touched", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{ format: "raw" }] });
      await using other = await testMachine({ purpose: "delete", guest: false });
      await virsh("attach-disk", other.name, vm.disks[0]!, "vdb", "--config", "--subdriver", "raw");
      await known(server, vm.uuid);
      await shows(server, other.uuid, ({ disks }) => disks.length === 1);
      const text = `Failed to delete disk: ${vm.disks[0]} - it is also used by ${other.name}`;
      await refused(
        call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }),
        "DiskDeleteFailed",
        text,
      );
      assert.equal(await defined(vm.name), true);
      assert.equal(await exists(vm.disks[0]!), true);
    });
    await t.step("so is one that a running machine has from its next start on", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{ format: "raw" }] });
      await using other = await testMachine({ purpose: "delete", guest: false, start: true });
      await shows(server, other.uuid, ({ state }) => state === "running");
      await virsh("attach-disk", other.name, vm.disks[0]!, "vdb", "--config", "--subdriver", "raw");
      await known(server, vm.uuid);
      const [disk] = (await call(server, "get_delete_plan", { vmId: vm.uuid })).disks;
      assert.deepEqual([disk!.deletable, disk!.reason], [false, `it is also used by ${other.name}`]);
      const asked = call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
      await refused(asked, "DiskDeleteFailed");
      assert.equal(await exists(vm.disks[0]!), true);
    });
    await t.step("so is one that a volume is built on, whoever has that", async () => {
      await using pool = await testPool("delete-base");
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{ pool }] });
      await known(server, vm.uuid);
      const [disk] = vm.disks, backing = `${pool.name}/${basename(disk!)}`;
      await call(server, "create_volume", { pool: pool.name, name: "top.qcow2", backing });
      const text = new RegExp(`the volume top\\.qcow2 of ${pool.name} is built on it`);
      const asked = call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
      await refused(asked, "DiskDeleteFailed", text);
      assert.equal(await exists(disk!), true);
      await call(server, "delete_volume", { pool: pool.name, volume: "top.qcow2" });
      await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
    });
    await t.step("so is one that a disk of the same VM is built on which stays", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      const [base] = vm.disks, overlay = `${base}.overlay`;
      await virsh("snapshot-create-as", vm.name, "one", "--disk-only", "--diskspec", `vda,file=${overlay}`);
      await known(server, vm.uuid);
      await shows(server, vm.uuid, ({ disks }) => disks[0]?.source === overlay);
      const { disks } = await call(server, "get_delete_plan", { vmId: vm.uuid });
      assert.deepEqual(disks.map(({ path, deletable }) => [path, deletable]), [[overlay, true], [
        base,
        true,
      ]]);
      const asked = call(server, "delete_vm", { vmId: vm.uuid, disks: [base!] });
      await refused(
        asked,
        "DiskDeleteFailed",
        `Failed to delete disk: ${base} - a disk of this VM that stays is built on it`,
      );
      assert.equal(await exists(base!), true);
      await call(server, "delete_vm", { vmId: vm.uuid, disks: [base!, overlay] });
      assert.deepEqual([await exists(base!), await exists(overlay)], [false, false]);
    });
    await t.step("a disk of a pool that is gone hinders nothing", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      {
        await using pool = await testPool("delete-gone");
        await virsh("vol-create-as", pool.name, "x", "1M");
        const file = `${pool.path}/disk.xml`;
        await Deno.writeTextFile(
          file,
          `<disk type='volume' device='disk'><source pool='${pool.name}' volume='x'/><target dev='vdb' bus='virtio'/></disk>`,
        );
        await virsh("attach-device", vm.name, file, "--config");
      }
      await known(server, vm.uuid);
      await shows(server, vm.uuid, ({ disks }) => disks.length === 2);
      const plan = await call(server, "get_delete_plan", { vmId: vm.uuid });
      assert.deepEqual(plan.disks.map(({ deletable, reason }) => [deletable, reason]), [
        [true, undefined],
        [false, "it does not exist"],
      ]);
      await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
      assert.equal(await exists(vm.disks[0]!), false);
    });
    await t.step("a disk that is another machine's backing file is refused", async () => {
      await using base = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      await using overlay = await testMachine({
        purpose: "delete",
        guest: false,
        disks: [{ backing: base.disks[0]! }],
      });
      await known(server, base.uuid);
      await known(server, overlay.uuid);
      await refused(
        call(server, "delete_vm", { vmId: base.uuid, deleteDisks: true }),
        "DiskDeleteFailed",
        new RegExp(`^Failed to delete disk: .* - it is also used by ${overlay.name}`),
      );
      assert.equal(await defined(base.name), true);
      assert.equal(await exists(base.disks[0]!), true);
    });
    await t.step("saved memory and snapshots' records go with it", async () => {
      await using vm = await testMachine({
        purpose: "delete",
        guest: false,
        start: true,
        disks: [{}],
        memoryMiB: 64,
      });
      await known(server, vm.uuid);
      await virsh("snapshot-create-as", vm.name, "one");
      await call(server, "suspend_vm", { vmId: vm.uuid });
      const saved = `/var/lib/libvirt/qemu/save/${vm.name}.save`;
      assert.equal(await exists(saved), true);
      assert.deepEqual(await call(server, "delete_vm", { vmId: vm.uuid }), {
        deletedDisks: [],
        bin: null,
        warnings: ["Its saved memory was deleted: what the guest had not written to its disks is lost."],
      });
      assert.equal(await defined(vm.name), false);
      assert.equal(await exists(saved), false);
    });
    await t.step("a disk that cannot be deleted leaves the machine as it was", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      const before = await vm.xml("--inactive", "--security-info");
      await known(server, vm.uuid);
      await run(["chattr", "+i", vm.disks[0]!]);
      try {
        const text = new RegExp(`^Failed to delete disk: ${vm.disks[0]} - `);
        await refused(
          call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }),
          "DiskDeleteFailed",
          text,
        );
        // libvirt orders the controllers again
        const lines = (xml: string) => xml.split("\n").sort();
        assert.deepEqual(lines(await vm.xml("--inactive", "--security-info")), lines(before));
        await known(server, vm.uuid);
      } finally {
        await run(["chattr", "-i", vm.disks[0]!]);
      }
    });
    await t.step("a machine with autostart and tags that could not be deleted keeps both", async () => {
      await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
      await known(server, vm.uuid);
      await call(server, "set_autostart", { vmId: vm.uuid, autostart: true });
      await call(server, "set_tags", { vmId: vm.uuid, tags: ["kept"] });
      await run(["chattr", "+i", vm.disks[0]!]);
      try {
        await refused(call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }), "DiskDeleteFailed");
      } finally {
        await run(["chattr", "-i", vm.disks[0]!]);
      }
      assert.match(await virsh("dominfo", vm.name), /Autostart:\s+enable/);
      await shows(server, vm.uuid, ({ autostart, tags }) => autostart && tags.join() === "kept");
    });
  },
});
