/** A passphrase is kept by what it opens: another volume of the path, its deletion and a VM that takes it do not touch it. */
import assert from "node:assert/strict";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const CAPACITY = { capacityBytes: 8 * 2 ** 20 };
const encryption = { passphrase: "correct horse battery" };

Deno.test({
  name: "the passphrase of a LUKS volume in the bin outlives plain volumes of its name",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("luks-pair");
    await using vm = await testMachine({ purpose: "luks-pair", guest: false });
    await using here = await appHere();
    const { api } = here;
    await until(
      "the VM is known",
      () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid) !== undefined),
    );
    await api.updateBinPolicy({ days: 7 });
    const at = { pool: pool.name, volume: "sec.img" },
      made = { pool: pool.name, name: "sec.img", ...CAPACITY };
    const secrets = async () =>
      (await virsh("secret-list")).split("\n").filter((line) => line.includes(`${pool.path}/sec.img`)).length;
    const plain = () => api.createVolume({ ...made, format: "raw" });
    await api.createVolume({ ...made, encryption });
    const { bin } = await api.deleteVolume(at);
    await t.step("a plain volume of the name is attached without it, and starts", async () => {
      await plain();
      const { target } = await api.attachDisk({ vmId: vm.uuid, path: `${pool.name}/sec.img` });
      assert.doesNotMatch(await virsh("dumpxml", vm.name), /<encryption/);
      await api.startVm({ vmId: vm.uuid });
      await api.forceStopVm({ vmId: vm.uuid });
      await api.detachDisk({ vmId: vm.uuid, target });
    });
    await t.step("another encrypted one of the name is refused with the bin's", async () => {
      await api.deleteVolume({ ...at, permanently: true });
      assert.equal(await secrets(), 1);
      await assert.rejects(
        api.createVolume({ ...made, encryption }),
        { code: "VolumeCreateFailed", message: /sec\.img, which is in the bin/ },
      );
    });
    await t.step(
      "a plain one that goes through the bin leaves it, and may be given another name",
      async () => {
        await plain();
        const { bin: first } = await api.deleteVolume(at);
        await api.restoreBinEntry({ entryId: first!.entryId, name: "plain.img" });
        await plain();
        const { bin: second } = await api.deleteVolume(at);
        await api.deleteBinEntry({ entryId: second!.entryId });
        assert.equal(await secrets(), 1);
        await assert.rejects(
          api.restoreBinEntry({ entryId: bin!.entryId, name: "else.img" }),
          { code: "BinRestoreFailed", message: /encrypted/ },
        );
      },
    );
    await t.step("what is wiped, or deleted with its VM, leaves it", async () => {
      await plain();
      await api.wipeVolume(at);
      await api.attachDisk({ vmId: vm.uuid, path: `${pool.name}/sec.img` });
      await api.detachDisk({ vmId: vm.uuid, target: "vda", deleteVolume: true });
      assert.equal(await secrets(), 1);
    });
    await t.step("restored, it is encrypted again, and its passphrase goes with it", async () => {
      await api.restoreBinEntry({ entryId: bin!.entryId });
      const { target } = await api.attachDisk({ vmId: vm.uuid, path: `${pool.name}/sec.img` });
      assert.match(await virsh("dumpxml", vm.name), /<encryption format='luks'/);
      await api.startVm({ vmId: vm.uuid });
      await api.forceStopVm({ vmId: vm.uuid });
      await api.detachDisk({ vmId: vm.uuid, target });
      await api.deleteVolume({ ...at, permanently: true });
      assert.equal(await secrets(), 0);
    });
  },
});

Deno.test({
  name:
    "a LUKS volume is opened by its passphrase through any pool on its folder; a VM that names it keeps it",
  ignore,
  fn: async () => {
    await using pool = await testPool("luks-link");
    await using vm = await testMachine({ purpose: "luks-link", guest: false });
    await using here = await appHere();
    const { api } = here;
    await until(
      "the VM is known",
      () => Promise.resolve(here.app.hosts.local.inventory.vm(vm.uuid) !== undefined),
    );
    await api.createVolume({ pool: pool.name, name: "a.img", ...CAPACITY, encryption });
    const linked = `${pool.path}-link`;
    await Deno.symlink(pool.path, linked);
    await api.attachDisk({ vmId: vm.uuid, path: `${linked}/a.img` });
    assert.match(await virsh("dumpxml", vm.name), /<encryption format='luks'/);
    // Moved by hand: its VM has it by another path, and its passphrase still
    const xml = (await virsh("dumpxml", vm.name, "--security-info")).replaceAll(`/a.img'`, `/b.img'`);
    await Deno.copyFile(`${pool.path}/a.img`, `${pool.path}/b.img`);
    const file = `${pool.path}/../vm.xml`;
    await Deno.writeTextFile(file, xml);
    await virsh("define", file);
    await until(
      "the new path is known",
      () =>
        Promise.resolve(
          here.app.hosts.local.inventory.vm(vm.uuid)?.disks[0]?.source?.endsWith("/b.img") === true,
        ),
    );
    await api.deleteVolume({ pool: pool.name, volume: "a.img", permanently: true });
    await api.startVm({ vmId: vm.uuid });
    await api.forceStopVm({ vmId: vm.uuid });
    await virsh("secret-undefine", (/uuid='([^']+)'\/>\s*<\/encryption>/.exec(xml))![1]!);
  },
});
