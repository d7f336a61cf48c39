/** Disks of the first qcow2 version that libvirt makes by itself (compat 0.10) hold no dirty bitmaps: a checkpoint ended libvirtd 9.0. */
import assert from "node:assert/strict";
import { appHere } from "../testbed/app_here.ts";
import { backupFolder } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { URI } from "../testbed/virsh.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("old-qcow2") !== null;

Deno.test({
  name:
    "a running VM with a qcow2 disk of compat 0.10 is backed up in full, without a checkpoint, and libvirtd goes on",
  ignore,
  fn: async () => {
    await using pool = await testPool("old-qcow2");
    await using folder = await backupFolder();
    await using vm = await testMachine({
      purpose: "old-qcow2",
      guest: false,
      disks: [{ pool }, { pool }],
      start: true,
    });
    await using here = await appHere([], URI);
    const { api, app } = here, vmId = vm.uuid;
    const info = JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", vm.disks[0]!]));
    assert.equal(info["format-specific"].data.compat, "0.10");
    await until(
      "the VM is known",
      () => Promise.resolve(app.hosts.local.inventory.vm(vmId)?.state === "running"),
    );
    const since = app.hosts.local.link.status.since;
    const { id: backupId } = await api.createBackup({
      name: "old",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    for (const _time of [1, 2]) {
      const { id: runId } = await api.runBackupNow({ backupId });
      const ended = await until("the run's end", async () => {
        const found = (await api.listBackupRuns({ backupId })).find(({ id }) => id === runId);
        return found !== undefined && found.state !== "running" ? found : false;
      }, { seconds: 90 });
      assert.equal(ended.state, "done");
      assert.match(JSON.stringify(ended.copies), /copied in full each time: qcow2 of compat 0\.10/);
    }
    assert.equal((await virsh("checkpoint-list", vm.name, "--name")).trim(), "");
    await api.createSnapshot({ vmId, name: "s1" });
    await api.revertSnapshot({ vmId, name: "s1" });
    assert.equal(app.hosts.local.link.status.since, since, "libvirtd was there all the time");
    await api.deleteBackup({ backupId });
  },
});
