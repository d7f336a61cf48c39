/**
 * Tests dirty bitmaps and checkpoints of other programs in disks, and images they leave: found before anything ends.
 */
import assert from "node:assert/strict";
import { backupFolder, done, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** A machine with a disk in a pool, as qcow2 that can hold bitmaps: volumes that virsh makes cannot. */
async function machineIn(pool: TestPool, purpose: string, isStarted = false): Promise<TestMachine> {
  const vm = await testMachine({ purpose, guest: false, disks: [{ pool, size: "32M" }] });
  await run(["qemu-img", "amend", "-f", "qcow2", "-o", "compat=1.1", vm.disks[0]!]);
  if (isStarted) await vm.start();
  return vm;
}

const addBitmap = (path: string, name = "leftover") => run(["qemu-img", "bitmap", "--add", path, name]);
const bitmapsOf = async (path: string): Promise<string[]> => {
  const info = JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path]));
  return (info["format-specific"].data.bitmaps ?? []).map(({ name }: { name: string }) => name);
};

Deno.test({
  name:
    "a disk with a dirty bitmap of another program: snapshots of it can be reverted to, and no VM ends in vain",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("bitmap");
    await using vm = await machineIn(pool, "bitmap");
    const vmId = vm.uuid, disk = vm.disks[0]!;
    await known(server, vmId);
    const list = () => call(server, "list_snapshots", { vmId });
    await t.step("one that came after the snapshot: told at once, and the VM runs on", async () => {
      await call(server, "create_snapshot", { vmId, name: "before" });
      await addBitmap(disk);
      const reason =
        `disk vda has the dirty bitmap leftover of another program, with which QEMU reverts no disk. ` +
        `Shut the VM down and remove it: qemu-img bitmap --remove ${disk} leftover`;
      await vm.start();
      await shows(server, vmId, ({ state }) => state === "running");
      for (const _state of ["running", "off"]) {
        assert.equal((await list()).snapshots[0]!.hindrance, reason);
        const was = await vm.state();
        await refused(
          call(server, "revert_snapshot", { vmId, name: "before" }),
          "SnapshotNotRevertable",
          `The VM cannot be reverted to before: ${reason}`,
        );
        assert.equal(await vm.state(), was);
        // Within the disks no more are taken: they could not be reverted to
        await refused(
          call(server, "create_snapshot", { vmId, name: "next" }),
          "SnapshotNotPossible",
          /delete those first/,
        );
        if (was === "running") await call(server, "force_stop_vm", { vmId });
      }
      await run(["qemu-img", "bitmap", "--remove", disk, "leftover"]);
      await call(server, "revert_snapshot", { vmId, name: "before" });
      await call(server, "delete_snapshot", { vmId, name: "before" });
    });
    await t.step("one that was there before: the snapshot is external", async () => {
      await addBitmap(disk);
      for (const state of ["off", "running"]) {
        if (state === "running") await call(server, "start_vm", { vmId });
        assert.match(
          (await list()).external!,
          state === "off" ? /leftover/ : /external snapshots already|leftover/,
        );
        await call(server, "create_snapshot", { vmId, name: state });
        await call(server, "revert_snapshot", { vmId, name: state });
        assert.equal(await vm.state(), "shut off");
      }
    });
  },
});

Deno.test({
  name:
    "a checkpoint of another program: no snapshot that cannot be reverted to, and no rename that loses it",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("checkpoint");
    await using vm = await machineIn(pool, "checkpoint", true);
    const vmId = vm.uuid;
    await shows(server, vmId, ({ state }) => state === "running");
    await call(server, "create_snapshot", { vmId, name: "within" });
    await virsh("checkpoint-create-as", vm.name, "theirs", "--diskspec", "vda");
    const theirs = /another program keeps the checkpoint theirs in it/;
    await t.step("running", async () => {
      await refused(
        call(server, "revert_snapshot", { vmId, name: "within" }),
        "SnapshotNotRevertable",
        theirs,
      );
      assert.equal(await vm.state(), "running");
      await call(server, "delete_snapshot", { vmId, name: "within" });
      assert.match((await call(server, "list_snapshots", { vmId })).external!, theirs);
    });
    await t.step("off", async () => {
      await call(server, "force_stop_vm", { vmId });
      await refused(call(server, "create_snapshot", { vmId, name: "off" }), "SnapshotNotPossible", theirs);
      await refused(
        call(server, "rename_vm", { vmId, name: `${vm.name}-other` }),
        "RenameFailed",
        /libvirt would lose the checkpoint theirs/,
      );
      assert.match(await virsh("checkpoint-list", vm.name), /theirs/);
      assert.equal(await virsh("domname", vmId), vm.name);
    });
    await t.step("deleted as advised, all goes on", async () => {
      await call(server, "start_vm", { vmId });
      await virsh("checkpoint-delete", vm.name, "theirs");
      await call(server, "create_snapshot", { vmId, name: "after" });
      await call(server, "revert_snapshot", { vmId, name: "after" });
      assert.equal(await vm.state(), "running");
    });
  },
});

Deno.test({
  name: "checkpoints of our backups go with their bitmaps: before a rename, and before the bin",
  ignore,
  fn: async (t) => {
    await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
    await using pool = await testPool("checkpoints");
    await using vm = await machineIn(pool, "checkpoints", true);
    await using folder = await backupFolder();
    const vmId = vm.uuid, disk = vm.disks[0]!, other = `${vm.name}-other`;
    await shows(server, vmId, ({ state }) => state === "running");
    const { id: backupId } = await call(server, "create_backup", {
      name: "checkpoints",
      folder: folder.path,
      targets: { vmIds: [vmId] },
      keep: 5,
    });
    const backedUp = async () => {
      done(await runOf(server, backupId));
      await call(server, "force_stop_vm", { vmId });
      assert.equal((await bitmapsOf(disk)).length, 1);
    };
    const isRevertable = async () => {
      await call(server, "create_snapshot", { vmId, name: "s" });
      await call(server, "revert_snapshot", { vmId, name: "s" });
      await call(server, "delete_snapshot", { vmId, name: "s" });
    };
    await t.step("renamed", async () => {
      await backedUp();
      await call(server, "rename_vm", { vmId, name: other });
      assert.deepEqual(await bitmapsOf(disk), []);
      assert.equal((await virsh("checkpoint-list", other, "--name")).trim(), "");
      assert.equal(await exists(`/var/lib/libvirt/qemu/snapshot/${other}`), false);
      await isRevertable();
      await call(server, "rename_vm", { vmId, name: vm.name });
    });
    await t.step("through the bin", async () => {
      await call(server, "start_vm", { vmId });
      await backedUp();
      const { bin } = await call(server, "delete_vm", { vmId, deleteDisks: true });
      await call(server, "restore_bin_entry", { entryId: bin!.entryId });
      assert.deepEqual(await bitmapsOf(disk), []);
      await isRevertable();
    });
    await t.step("left by a definition that was taken away: gone with the next snapshot", async () => {
      await call(server, "start_vm", { vmId });
      await backedUp();
      await virsh("checkpoint-delete", vm.name, (await bitmapsOf(disk))[0]!, "--metadata");
      await isRevertable();
      assert.deepEqual(await bitmapsOf(disk), []);
    });
  },
});

Deno.test({
  name: "an image that another program's snapshot has left below a disk is named when the VM is deleted",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("below");
    await using vm = await machineIn(pool, "below", true);
    const vmId = vm.uuid, base = vm.disks[0]!, head = `${pool.path}/head.s1`;
    await virsh(
      "snapshot-create-as",
      vm.name,
      "s1",
      "--disk-only",
      "--no-metadata",
      "--diskspec",
      `vda,file=${head}`,
    );
    await shows(server, vmId, ({ disks }) => disks[0]!.source === head);
    await call(server, "force_stop_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "stopped");
    await call(server, "refresh_storage_pool", { pool: pool.name });
    const { disks } = await call(server, "get_delete_plan", { vmId });
    assert.deepEqual(disks.map(({ path, deletable }) => [path, deletable]), [[head, true], [base, false]]);
    assert.match(disks[1]!.reason!, /^disk vda is built on it: delete it separately/);
    const { deletedDisks } = await call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
    assert.deepEqual(deletedDisks, [head]);
    assert.ok(await exists(base));
  },
});

Deno.test({
  name: "a snapshot of another program within a disk is not replaced by one of the same name",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("theirs");
    await using vm = await machineIn(pool, "theirs");
    const vmId = vm.uuid, disk = vm.disks[0]!;
    await known(server, vmId);
    const inDisk = async () => {
      const info = JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", disk]));
      return (info.snapshots ?? []).map(({ id, name }: { id: string; name: string }) => `${id} ${name}`);
    };
    await run(["qemu-img", "snapshot", "-c", "theirs", disk]);
    for (const state of ["off", "running"]) {
      if (state === "running") await call(server, "start_vm", { vmId });
      await refused(
        call(server, "create_snapshot", { vmId, name: "theirs" }),
        "SnapshotNotPossible",
        /disk vda has a snapshot of this name that libvirt does not know/,
      );
      assert.deepEqual(await inDisk(), ["1 theirs"]);
      await call(server, "create_snapshot", { vmId, name: `ours-${state}` });
      await call(server, "delete_snapshot", { vmId, name: `ours-${state}` });
    }
    assert.deepEqual(await inDisk(), ["1 theirs"]);
    await call(server, "force_stop_vm", { vmId });
  },
});

Deno.test({
  name: "a snapshot that its disk has lost is not reverted to, and ends no VM",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("lost");
    await using vm = await machineIn(pool, "lost");
    const vmId = vm.uuid, disk = vm.disks[0]!;
    await known(server, vmId);
    await call(server, "create_snapshot", { vmId, name: "kept" });
    await call(server, "create_snapshot", { vmId, name: "gone" });
    await run(["qemu-img", "snapshot", "-d", "gone", disk]);
    await call(server, "start_vm", { vmId });
    const { snapshots } = await call(server, "list_snapshots", { vmId });
    const reason = "disk vda does not hold it any more: it can only be deleted";
    assert.deepEqual(snapshots.map(({ name, hindrance }) => [name, hindrance]), [
      ["kept", undefined],
      ["gone", reason],
    ]);
    await refused(
      call(server, "revert_snapshot", { vmId, name: "gone" }),
      "SnapshotNotRevertable",
      `The VM cannot be reverted to gone: ${reason}`,
    );
    assert.equal(await vm.state(), "running");
    await call(server, "delete_snapshot", { vmId, name: "gone" });
    await call(server, "revert_snapshot", { vmId, name: "kept" });
    assert.equal(await vm.state(), "shut off");
  },
});
