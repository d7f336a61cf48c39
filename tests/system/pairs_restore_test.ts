/** A restore in place takes the place of what was copied: what was attached, mounted or limited since stays. */
import assert from "node:assert/strict";
import { appHere } from "../testbed/app_here.ts";
import { backupFolder, copiedHere } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "restore_backup() in place takes the copied disks alone, whatever their names are by now",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("in-place");
    await using folder = await backupFolder();
    await using vm = await testMachine({ purpose: "in-place", guest: false, disks: [{ pool }, { pool }] });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid, [first = "", second = ""] = vm.disks;
    const vmNow = () => app.hosts.local.inventory.vm(vmId);
    await until("the VM is known", () => Promise.resolve(vmNow() !== undefined));
    const { backupId, runId } = await copiedHere(api, folder.path, vmId);
    const precious = await pool.createVolume("precious.qcow2", "8M"), iso = `${pool.path}/some.iso`;
    await run(["truncate", "-s", "1M", iso]);
    await virsh("pool-refresh", pool.name);
    const restore = async () =>
      (await api.restoreBackup({ backupId, runId, vmId, inPlace: true })).warnings.join("\n");
    const sources = () => Object.fromEntries(vmNow()!.disks.map(({ target, source }) => [target, source]));
    await t.step("names that others have since, a drive, limits", async () => {
      await api.detachDisk({ vmId, target: "vdb" });
      await api.attachDisk({ vmId, path: precious, target: "vdb" });
      await api.attachDisk({ vmId, path: second, target: "vdc" });
      await api.attachDisk({ vmId, device: "cdrom", bus: "scsi", path: iso });
      await api.updateDisk({ vmId, target: "vda", totalIopsSec: 500 });
      const told = await restore();
      assert.ok(await exists(precious) && await exists(iso), "nothing of those goes");
      assert.deepEqual([await exists(first), await exists(second)], [false, false], "what was copied goes");
      assert.match(told, /precious\.qcow2, is not known to be the disk that the copy has/);
      assert.match(told, /drive sda is not in the copy: it stays/);
      assert.match(told, /Disk vda has the limits that it has now/);
      assert.equal(sources().sda, iso);
      assert.match(await virsh("dumpxml", vm.name), /<total_iops_sec>500</);
      assert.deepEqual(Object.keys(sources()).sort(), ["sda", "vda", "vdb"]);
    });
    await t.step(
      "once more: what was restored goes, what was attached meanwhile stays attached",
      async () => {
        const { vda = "", vdb = "" } = sources();
        await api.attachDisk({ vmId, path: precious, target: "vdd" });
        await restore();
        assert.deepEqual([await exists(vda), await exists(vdb)], [false, false]);
        assert.equal(sources().vdd, precious);
      },
    );
    await api.deleteBackup({ backupId });
  },
});

Deno.test({
  name: "restore_backup() in place refuses a network card whose address another VM has by now",
  ignore,
  fn: async () => {
    await using pool = await testPool("in-place-mac");
    await using folder = await backupFolder();
    await using network = await testNetwork("in-place");
    await using vm = await testMachine({ purpose: "mac-own", guest: false, disks: [{ pool }], network });
    await using other = await testMachine({ purpose: "mac-other", guest: false, network });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid;
    await until(
      "the VMs are known",
      () =>
        Promise.resolve([vm, other].every(({ uuid }) => app.hosts.local.inventory.vm(uuid) !== undefined)),
    );
    const { backupId, runId } = await copiedHere(api, folder.path, vmId);
    const xml = (await virsh("dumpxml", other.name, "--security-info")).replace(other.mac!, vm.mac!);
    const file = `${folder.path}/other.xml`;
    await Deno.writeTextFile(file, xml);
    await virsh("define", file);
    await until(
      "the address is known",
      () => Promise.resolve(app.hosts.local.inventory.vm(other.uuid)?.networkInterfaces[0]?.mac === vm.mac),
    );
    await assert.rejects(
      api.restoreBackup({ backupId, runId, vmId, inPlace: true }),
      { code: "MacInUse", message: new RegExp(other.name) },
    );
    await api.deleteBackup({ backupId });
  },
});

Deno.test({
  name: "restore_backup() in place takes the place of a disk that was moved or merged since the copy",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("moved-from");
    await using other = await testPool("moved-to");
    await using folder = await backupFolder();
    await using vm = await testMachine({ purpose: "moved", guest: false, disks: [{ pool, format: "raw" }] });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid;
    const vmNow = () => app.hosts.local.inventory.vm(vmId);
    await until("the VM is known", () => Promise.resolve(vmNow() !== undefined));
    const source = () => vmNow()!.disks[0]!.source!;
    await api.createSnapshot({ vmId, name: "one" });
    const onOverlay = source();
    const { backupId, runId } = await copiedHere(api, folder.path, vmId);
    const restore = async () => {
      const before = source();
      const { warnings } = await api.restoreBackup({ backupId, runId, vmId, inPlace: true });
      assert.doesNotMatch(warnings.join("\n"), /is not known to be the disk/);
      assert.equal(await exists(before), false, `${before} stays`);
    };
    await t.step("copied while it was on an image that a revert left, and merged since", async () => {
      await api.revertSnapshot({ vmId, name: "one" });
      await api.deleteSnapshot({ vmId, name: "one" });
      assert.notEqual(source(), onOverlay);
      await restore();
    });
    await t.step("moved since", async () => {
      await api.moveDisk({ vmId, target: "vda", pool: other.name });
      assert.ok(source().startsWith(other.path));
      await restore();
    });
    await api.deleteBackup({ backupId });
  },
});
