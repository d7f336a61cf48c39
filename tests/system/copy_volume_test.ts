/** Volumes are copied between two hosts, also when the line breaks; a backup is restored on another host. */
import assert from "node:assert/strict";
import { runOf } from "../testbed/backups.ts";
import { testFolder } from "../testbed/folder.ts";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, known, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** Whether an image of one host has the content of an image of the other. */
async function isEqual(a: MigrationHost, nameA: string, b: MigrationHost, nameB: string): Promise<boolean> {
  const { success } = await new Deno.Command("cmp", {
    args: [`${a.images}/${nameA}`, `${b.images}/${nameB}`],
  }).output();
  return success;
}

/** Unfinished uploads into the pool. */
const uploads = ({ server }: MigrationHost) => call(server, "list_uploads", { pool: "images" });

/** The open task of a copy. */
async function copying({ server }: MigrationHost) {
  const jobs = await call(server, "list_jobs", { open: true });
  return jobs.find(({ command }) => command === "copy_volume_to_host");
}

Deno.test({
  name: "a volume is copied to another host, from there, and what cannot be is refused",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, at = { pool: "images", toHost: "there" };
    await randomImage(from, "disk.qcow2", 96);
    await call(from.server, "refresh_storage_pool", { pool: "images" });

    await t.step("whole, with its sum", async () => {
      const made = await call(from.server, "copy_volume_to_host", { ...at, volume: "disk.qcow2" });
      const sum = await run(["sha256sum", `${from.images}/disk.qcow2`]);
      const { host, pool, name, sha256, warnings } = made;
      assert.deepEqual({ host, pool, name, sha256, warnings }, {
        host: "there",
        pool: "images",
        name: "disk.qcow2",
        sha256: sum.split(" ")[0],
        warnings: [],
      });
      assert.ok(await isEqual(from, "disk.qcow2", to, "disk.qcow2"));
      assert.deepEqual(await uploads(to), []);
    });

    await t.step("from the other host to this one, under another name", async () => {
      const { host, name } = await call(from.server, "copy_volume_to_host", {
        host: "there",
        pool: "images",
        volume: "disk.qcow2",
        toHost: "local",
        name: "back.qcow2",
      });
      assert.deepEqual([host, name], ["local", "back.qcow2"]);
      assert.ok(await isEqual(to, "disk.qcow2", from, "back.qcow2"));
    });

    await t.step("what cannot be copied is refused, and nothing is made", async () => {
      const before = await to.volumes();
      await refused(
        call(from.server, "copy_volume_to_host", { ...at, volume: "disk.qcow2" }),
        "VolumeExists",
      );
      await refused(
        call(from.server, "copy_volume_to_host", { ...at, volume: "none.qcow2" }),
        "VolumeNotFound",
      );
      await refused(
        call(from.server, "copy_volume_to_host", { ...at, volume: "disk.qcow2", toHost: "local" }),
        "InvalidInput",
        /clone it \(clone_volume\)/,
      );
      await refused(
        call(from.server, "copy_volume_to_host", { ...at, volume: "disk.qcow2", toHost: "nowhere" }),
        "HostNotFound",
      );
      await call(from.server, "create_volume", {
        pool: "images",
        name: "top.qcow2",
        backing: "images/disk.qcow2",
      });
      await refused(
        call(from.server, "copy_volume_to_host", { ...at, volume: "top.qcow2" }),
        "VolumeCopyFailed",
        /built on .*disk\.qcow2.*Clone the volume first/,
      );
      assert.deepEqual(await to.volumes(), before);
      await call(from.server, "clone_volume", { pool: "images", volume: "top.qcow2", name: "alone.qcow2" });
      const alone = { ...at, volume: "alone.qcow2" };
      await refused(
        call(from.server, "copy_volume_to_host", { ...alone, toPool: "fast" }),
        "InvalidInput",
        /there has no storage pool fast\. Choose one of: images/,
      );
      await call(from.server, "copy_volume_to_host", { ...alone, toPool: "images" });
      assert.ok(await isEqual(from, "alone.qcow2", to, "alone.qcow2"));
    });

    await t.step("cut three times, it goes on where it was", async () => {
      await randomImage(from, "large.qcow2", 700);
      await call(from.server, "refresh_storage_pool", { pool: "images" });
      const copy = call(from.server, "copy_volume_to_host", { ...at, volume: "large.qcow2" });
      let last = 0;
      for (let cuts = 0; cuts < 3; cuts++) {
        await until(
          "the copy to go on",
          async () => ((await copying(from))?.doneBytes ?? 0) > last + 50 * 1024 ** 2,
          { every: 20 },
        );
        to.line.cut();
        last = (await copying(from))?.doneBytes ?? 0;
      }
      const { sha256 } = await copy;
      assert.equal(sha256, (await run(["sha256sum", `${from.images}/large.qcow2`])).split(" ")[0]);
      assert.ok(await isEqual(from, "large.qcow2", to, "large.qcow2"));
      const { jobs } = await call(to.server, "search_jobs", { text: "Upload large.qcow2" });
      assert.ok(jobs.length > 1, "it was not cut");
      assert.deepEqual(await uploads(to), []);
    });

    await t.step("cancelled, it leaves nothing there", async () => {
      const before = await to.volumes();
      const copy = call(from.server, "copy_volume_to_host", {
        ...at,
        volume: "large.qcow2",
        name: "other.qcow2",
      });
      const end = refused(copy, "JobCancelled");
      await until("the copy to begin", async () => ((await copying(from))?.doneBytes ?? 0) > 0, {
        every: 20,
      });
      await call(from.server, "cancel_job", { jobId: (await copying(from))!.id });
      await end;
      await until("the upload to go", async () => (await uploads(to)).length === 0);
      assert.deepEqual(await to.volumes(), before);
    });
  },
});

Deno.test({
  name: "a VM is restored from a backup on another host; where it cannot move, it stays here and is told",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    await using folder = await testFolder();
    const path = await randomImage(from, "disk.qcow2", 16);
    const vm = await from.libvirt.machine({ disks: [{ path, format: "qcow2", bus: "virtio" }] });
    await known(from.server, vm.uuid);
    const { id: backupId } = await call(from.server, "create_backup", {
      name: "nightly",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
    });
    const { id: runId, state } = await runOf(from.server, backupId);
    assert.equal(state, "done");
    const of = { backupId, runId, vmId: vm.uuid };

    await t.step("it is there, off, with its content, and not here", async () => {
      const { vmId, name } = await call(from.server, "restore_backup", {
        ...of,
        name: "again",
        toHost: "there",
      });
      assert.equal(name, "again");
      assert.deepEqual([await to.vms(), await from.vms()], [["again"], [vm.name]]);
      assert.equal(await to.libvirt.virsh("domuuid", "again"), vmId);
      const [copy] = await to.volumes();
      const same = await new Deno.Command("qemu-img", {
        args: ["compare", `${from.images}/disk.qcow2`, `${to.images}/${copy}`],
      }).output();
      assert.ok(same.success, new TextDecoder().decode(same.stdout));
    });

    await t.step("not in place, and not to a host that is none", async () => {
      await refused(
        call(from.server, "restore_backup", { ...of, inPlace: true, toHost: "there" }),
        "InvalidInput",
        /in place stays on this host/,
      );
      await refused(
        call(from.server, "restore_backup", { ...of, name: "more", toHost: "nowhere" }),
        "HostNotFound",
      );
      assert.deepEqual(await from.vms(), [vm.name]);
    });

    await t.step("with a name that is taken there it stays here", async () => {
      await refused(
        call(from.server, "restore_backup", { ...of, name: "again", toHost: "there" }),
        "RestoredNotMoved",
        /restored here as again, and not moved to there: /,
      );
      assert.deepEqual((await from.vms()).toSorted(), ["again", vm.name].toSorted());
      const { id: vmId } = (await call(from.server, "get_vms", { host: "local" })).find(({ name }) =>
        name === "again"
      )!;
      await call(from.server, "rename_vm", { vmId, name: "more" });
      await call(from.server, "migrate_vm", { vmId, toHost: "there" });
      assert.deepEqual((await to.vms()).toSorted(), ["again", "more"]);
    });
  },
});
