/**
 * Checks that obstacles to a command of several steps are reported before the first step: nothing is begun that cannot
 * be finished.
 */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, refused, shows } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "delete_vm() looks whether each disk will go before the first one does",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("first");
    await using vm = await testMachine({
      purpose: "first",
      guest: false,
      disks: [{ pool, format: "raw", size: "256M" }],
    });
    const vmId = vm.uuid, [disk] = vm.disks as [string];
    await known(server, vmId);
    await knownPool(server, pool.name);
    const remove = () => call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
    const isWhole = async () => {
      assert.equal(await virsh("domname", vmId), vm.name);
      assert.ok(await exists(disk));
    };
    await t.step("one that lies in a folder that takes no change", async () => {
      const folder = `${filesOf(vm.name)}/closed`, second = `${folder}/second.qcow2`;
      await Deno.mkdir(folder, { recursive: true });
      await run(["qemu-img", "create", "-q", "-f", "qcow2", second, "8M"]);
      await virsh("attach-disk", vm.name, second, "vdb", "--subdriver", "qcow2", "--config");
      await shows(server, vmId, ({ disks }) => disks.length === 2);
      await run(["chattr", "+i", folder]);
      try {
        await refused(remove(), "DiskDeleteFailed", /second\.qcow2 - its folder takes no change/);
        await isWhole();
        assert.ok(await exists(second));
      } finally {
        await run(["chattr", "-i", folder]);
      }
      await virsh("detach-disk", vm.name, "vdb", "--config");
      await shows(server, vmId, ({ disks }) => disks.length === 1);
    });
    await t.step("one that is being read", async () => {
      const [, name] = /\/([^/]+)$/.exec(disk)!;
      const url = `${server.url}/api/v1/storage/pools/${pool.name}/volumes/${name}/content`;
      const response = await fetch(url, { headers: testerHeaders(server.url) });
      assert.equal(response.status, 200);
      const reader = response.body!.getReader();
      await reader.read();
      await refused(remove(), "StorageBusy");
      await isWhole();
      await reader.cancel();
    });
  },
});

Deno.test({
  name: "copies of several disks, and of several VMs, look for taken names before the first is made",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("taken");
    await using vm = await testMachine({ purpose: "taken", guest: false, disks: [{ pool }, { pool }] });
    await using own = await claimedVm("taken-copy");
    const vmId = vm.uuid, { name } = own;
    await known(server, vmId);
    await knownPool(server, pool.name);
    const tasks = async () => (await call(server, "list_jobs")).length;
    await t.step("a clone", async () => {
      await Deno.writeTextFile(`${pool.path}/${name}-vdb.qcow2`, "somebody's");
      const before = await tasks();
      await refused(
        call(server, "clone_vm", { vmId, name }),
        "CloneFailed",
        `Failed to clone VM: the volume ${name}-vdb.qcow2 exists already in the pool ${pool.name}. Choose another name`,
      );
      assert.equal(await tasks(), before);
    });
    await t.step("VMs of a template", async () => {
      const { id: templateId } = await call(server, "create_template", { vmId, name });
      await Deno.writeTextFile(`${pool.path}/${name}-03-vda.qcow2`, "somebody's");
      const before = await tasks();
      await refused(
        call(server, "create_vm_from_template", { templateId, name: `${name}-##`, count: 3 }),
        "TemplateVmFailed",
        new RegExp(
          `^Failed to create ${name}-03, after 0 of 3 VMs: the volume ${name}-03-vda\\.qcow2 exists already`,
        ),
      );
      assert.equal(await tasks(), before);
      assert.equal((await call(server, "get_vms")).some((each) => each.name.startsWith(`${name}-0`)), false);
      await call(server, "delete_template", { templateId });
    });
  },
});
