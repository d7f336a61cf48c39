/** Checkpoints of backups go with the last step of a rename or a deletion: what is refused before leaves them. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { backupFolder, copiedHere } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "a rename or a deletion that is refused at the last moment leaves the checkpoints of backups",
  ignore,
  fn: async () => {
    await using pool = await testPool("late");
    await using folder = await backupFolder();
    await using vm = await testMachine({ purpose: "late", guest: false, disks: [{ pool, size: "32M" }] });
    await run(["qemu-img", "amend", "-f", "qcow2", "-o", "compat=1.1", vm.disks[0]!]);
    await vm.start();
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid, { local } = app.hosts, name = `${vm.name}-other`;
    await api.updateBinPolicy({ days: 7 });
    await until("the VM is known", () => Promise.resolve(local.inventory.vm(vmId)?.state === "running"));
    const { backupId } = await copiedHere(api, folder.path, vmId);
    await api.forceStopVm({ vmId });
    const checkpoints = async () => (await virsh("checkpoint-list", vm.name, "--name")).trim();
    const before = await checkpoints();
    assert.notEqual(before, "");
    const { link } = local, call = link.call.bind(link);
    try {
      // Somebody defines a VM of that name while the rename is under way
      link.call = (async (asked: never, ...args: never[]) => {
        if (asked === "domainListStates") {
          link.call = call;
          const xml = (await virsh("dumpxml", vm.name)).replace(`<name>${vm.name}<`, `<name>${name}<`)
            .replace(/<uuid>.*<\/uuid>/, "");
          const file = `${folder.path}/other.xml`;
          await Deno.writeTextFile(file, xml);
          await virsh("define", file);
        }
        return await Reflect.apply(call, link, [asked, ...args]);
      }) as typeof link.call;
      await assert.rejects(api.renameVm({ vmId, name }), { code: "VmNameExists" });
      assert.equal(await checkpoints(), before);
    } finally {
      link.call = call;
      await removeDomain(name);
    }
    await until("the other VM is gone", () => Promise.resolve(local.inventory.vmByName(name) === undefined));
    const { require } = app.bin;
    try {
      app.bin.require = () => {
        throw new ContractError("StoreUnavailable", { reason: "the disk is full" });
      };
      await assert.rejects(api.deleteVm({ vmId, deleteDisks: true }), { code: "StoreUnavailable" });
      assert.equal(await checkpoints(), before);
    } finally {
      app.bin.require = require;
    }
    await api.renameVm({ vmId, name });
    assert.equal((await virsh("checkpoint-list", name, "--name")).trim(), "");
    const { bin } = await api.deleteVm({ vmId, deleteDisks: true });
    await api.deleteBinEntry({ entryId: bin!.entryId });
    await api.deleteBackup({ backupId });
  },
});
