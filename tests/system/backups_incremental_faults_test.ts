/** Increments on bad days: chunks that are lost, snapshots, an agent and a QEMU that are killed. A whole read puts all right. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  backupFolder,
  checkpoints,
  chunksOf,
  done,
  logOf,
  MIB,
  restored,
  runOf,
  write,
} from "../testbed/backups.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "what an increment cannot build on is read again, and snapshots go before",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "backupinc2", guest: false, disks: [{ size: "32M" }] });
    await using folder = await backupFolder();
    const [vda] = vm.disks;
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 5M", vda!]);
    await vm.start();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const { id: backupId } = await call(server, "create_backup", {
      name: "inc",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
      keep: 20,
    });
    done(await runOf(server, backupId));
    await t.step("a chunk that is missing, and one that is damaged, are read again", async () => {
      const chunk = (await chunksOf(folder.path)).split("\n").find((line) => line.length === 64)!;
      const path = `${folder.path}/kvm-manager-backups/chunks/${chunk.slice(0, 2)}/${chunk}`;
      await Deno.remove(path);
      const missing = await runOf(server, backupId);
      done(missing);
      assert.match(await logOf(server, missing), /read in full: the chunk \w+ of the copy before is missing/);
      await Deno.writeFile(path, new Uint8Array(100).fill(1));
      await write(vm, "write -P 77 8k 512");
      const damaged = await runOf(server, backupId);
      done(damaged);
      assert.match(await logOf(server, damaged), /read in full after all: the chunk \w+ is damaged/);
      assert.equal((await call(server, "verify_backup", { backupId, runId: damaged.id })).ok, true);
      assert.equal((await checkpoints(vm)).length, 1);
      const after = await runOf(server, backupId);
      assert.ok(done(after).readBytes! <= MIB);
    });
    await t.step(
      "snapshots go before: they can be taken and reverted to, and the next copy is whole",
      async () => {
        const vmId = vm.uuid;
        await call(server, "force_stop_vm", { vmId });
        await vm.start();
        await shows(server, vmId, ({ state }) => state === "running");
        const cut = await runOf(server, backupId);
        assert.equal(done(cut).readBytes, 0, "QEMU kept what it had noted: it ended in order");
        assert.equal((await checkpoints(vm)).length, 1);
        const { name } = await call(server, "create_snapshot", { vmId });
        assert.deepEqual(await checkpoints(vm), []);
        await write(vm, "write -P 99 0 512");
        const noted = await runOf(server, backupId);
        assert.match(await logOf(server, noted), /read in full: it has snapshots/);
        await call(server, "revert_snapshot", { vmId, name });
        assert.equal(await vm.state(), "running");
        await call(server, "delete_snapshot", { vmId, name });
        const whole = await runOf(server, backupId);
        assert.ok(done(whole).readBytes! > MIB, `${done(whole).readBytes}: it is read in full`);
        const found = await restored(server, { backupId, runId: whole.id, vm, pool: pool.name });
        assert.notEqual(found[0], 99, "what was written after the snapshot is gone");
        // Taken of a VM that is off, too: libvirt takes none where a checkpoint is.
        await call(server, "force_stop_vm", { vmId });
        await shows(server, vmId, ({ state }) => state === "stopped");
        assert.equal((await checkpoints(vm)).length, 1);
        await call(server, "create_snapshot", { vmId, name: "off" });
        assert.deepEqual(await checkpoints(vm), []);
        assert.doesNotMatch(await run(["qemu-img", "info", vda!]), /bitmaps/);
      },
    );
    await t.step("two backups of a VM have notes of their own, whatever order they run in", async () => {
      await call(server, "delete_snapshot", { vmId: vm.uuid, name: "off" });
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const { id: otherId } = await call(server, "create_backup", {
        name: "other",
        folder: folder.path,
        targets: { vmIds: [vm.uuid] },
        keep: 20,
      });
      const order = [backupId, otherId, backupId, backupId, otherId, otherId, backupId];
      for (const [index, id] of order.entries()) {
        await write(vm, `write -P ${index + 1} ${index * 2 + 8}M 64k`);
        const { readBytes } = done(await runOf(server, id));
        if (index > 1) assert.ok(readBytes! <= MIB, `${index}: ${readBytes}`);
      }
      assert.equal((await checkpoints(vm)).length, 2);
      const own = await chunksOf(folder.path);
      const other = done(await runOf(server, otherId));
      assert.equal(other.readBytes, 65_536, "what was written since its own last one");
      assert.equal(await chunksOf(folder.path), own);
      await runOf(server, backupId, true);
      assert.equal(await chunksOf(folder.path), own, "and a whole read says the same");
      await call(server, "delete_backup", { backupId: otherId });
      assert.equal((await checkpoints(vm)).length, 1);
    });
    await t.step("what is written while the VM is off is in the next increment, too", async () => {
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await shows(server, vm.uuid, ({ state }) => state === "stopped");
      await run(["qemu-io", "-f", "qcow2", "-c", "write -P 88 30M 64k", vda!]);
      const off = done(await runOf(server, backupId)), seen = await chunksOf(folder.path);
      assert.equal(off.consistency, "stopped");
      assert.ok(
        off.readBytes! > MIB && off.readBytes! < off.bytes,
        `${off.readBytes}: what the disk never had is not read`,
      );
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const next = done(await runOf(server, backupId));
      assert.ok(next.readBytes! > 0 && next.readBytes! <= MIB, String(next.readBytes));
      assert.equal(await chunksOf(folder.path), seen);
    });
    await t.step("a deleted backup leaves no checkpoint", async () => {
      done(await runOf(server, backupId));
      assert.equal((await checkpoints(vm)).length, 1);
      await call(server, "delete_backup", { backupId });
      assert.deepEqual(await checkpoints(vm), []);
    });
  },
});

Deno.test({
  name:
    "an agent or a QEMU that is killed in between costs a whole read at most, and leaves no checkpoint behind",
  ignore,
  fn: async () => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "backupinckill", guest: false, disks: [{ size: "64M" }] });
    await using folder = await backupFolder();
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 32M", vm.disks[0]!]);
    await vm.start();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    let backupId = "";
    const serve = async () => {
      const server = await readyServer({ dataDir });
      await known(server, vm.uuid);
      return server;
    };
    try {
      for (const ms of [20, 250, 600]) {
        await using server = await serve();
        if (backupId === "") {
          const input = { name: "killed", folder: folder.path, targets: { vmIds: [vm.uuid] } };
          backupId = (await call(server, "create_backup", input)).id;
          await runOf(server, backupId);
        }
        await write(vm, `write -P ${ms % 200} ${ms}k 1M`);
        await call(server, "run_backup_now", { backupId });
        await delay(ms);
        await server.kill();
      }
      await using server = await serve();
      await write(vm, "write -P 3 40M 64k");
      const next = await runOf(server, backupId);
      assert.ok(done(next).readBytes! < 8 * MIB, await logOf(server, next));
      assert.equal((await checkpoints(vm)).length, 1, "those of copies that were never whole are gone");
      const equal = async (runId: string) => {
        const found = await restored(server, { backupId, runId, vm, pool: pool.name });
        const whole = await runOf(server, backupId, true);
        const all = await restored(server, { backupId, runId: whole.id, vm, pool: pool.name });
        assert.equal(Buffer.compare(found, all), 0);
      };
      await equal(next.id);
      Deno.kill((await vm.qemuPid())!, "SIGKILL");
      await vm.waitFor("shut off");
      await shows(server, vm.uuid, ({ state }) => state === "crashed");
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      await write(vm, "write -P 4 50M 64k");
      const after = await runOf(server, backupId);
      assert.ok(done(after).readBytes! > MIB, "what QEMU had noted cannot be trusted");
      assert.match(await logOf(server, after), /read in full/);
      assert.equal((await checkpoints(vm)).length, 1);
      await write(vm, "write -P 5 51M 64k");
      const last = await runOf(server, backupId);
      assert.ok(done(last).readBytes! <= MIB, await logOf(server, last));
      await equal(last.id);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a VM that gets a disk, another name, or a snapshot of another program is backed up whole each time",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "backupinc3", guest: false, disks: [{ size: "32M" }] });
    await using folder = await backupFolder();
    const [vda] = vm.disks, vmId = vm.uuid, vdb = `${vda}.vdb.qcow2`;
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 5M", vda!]);
    await vm.start();
    await using server = await readyServer();
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: "changed",
      folder: folder.path,
      targets: { vmIds: [vmId] },
      keep: 20,
    });
    done(await runOf(server, backupId));
    await t.step("a disk that it got since is read in full, the other one as before", async () => {
      await run(["qemu-img", "create", "-q", "-f", "qcow2", vdb, "16M"]);
      await virsh(...["attach-disk", vm.name, vdb, "vdb", "--subdriver", "qcow2", "--persistent"]);
      await shows(server, vmId, ({ disks }) => disks.length === 2);
      await write(vm, "write -P 9 8M 64k");
      const ended = await runOf(server, backupId), { disks, readBytes } = done(ended);
      assert.deepEqual(disks, ["vda", "vdb"]);
      assert.equal(readBytes, 65_536, "the new disk is empty");
      assert.match(await logOf(server, ended), /disk vdb is new/);
      const after = done(await runOf(server, backupId));
      assert.ok(after.readBytes! <= MIB, String(after.readBytes));
    });
    await t.step("renamed, its copies are still its own, and the next one shows the new name", async () => {
      await call(server, "force_stop_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "stopped");
      await using claim = await claimedVm("renamed");
      const { name } = claim;
      await call(server, "rename_vm", { vmId, name });
      await virsh("start", name);
      await shows(server, vmId, ({ state }) => state === "running");
      const ended = await runOf(server, backupId);
      assert.equal(done(ended).name, name);
      const { copies } = await call(server, "list_vm_backups", { vmId });
      assert.deepEqual(new Set(copies.map(({ copy }) => copy.name)), new Set([name, vm.name]));
      const bytes = await restored(server, { backupId, runId: ended.id, vm, pool: pool.name });
      assert.deepEqual([bytes[0], bytes[8 * MIB], bytes[9 * MIB]], [7, 9, 0]);
      await call(server, "force_stop_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "stopped");
      await call(server, "rename_vm", { vmId, name: vm.name });
      await vm.start();
      await shows(server, vmId, ({ state }) => state === "running");
    });
    await t.step(
      "on an image of another program's snapshot, all of it is read, and why is said",
      async () => {
        const specs = [`vda,file=${vda}.far`, `vdb,file=${vda}.far2`].flatMap((spec) => ["--diskspec", spec]);
        await virsh("snapshot-create-as", vm.name, "far", "--disk-only", ...specs);
        await shows(server, vmId, ({ disks }) => disks[0]!.source === `${vda}.far`);
        await write(vm, "write -P 11 9M 64k");
        const ended = await runOf(server, backupId);
        assert.ok(done(ended).readBytes! > 2 * MIB, `${done(ended).readBytes}`);
        assert.match(await logOf(server, ended), /it has snapshots/);
        const bytes = await restored(server, { backupId, runId: ended.id, vm, pool: pool.name });
        assert.deepEqual([bytes[0], bytes[8 * MIB], bytes[9 * MIB]], [7, 9, 11]);
        assert.equal((await call(server, "get_vm", { vmId })).state, "running");
      },
    );
  },
});
