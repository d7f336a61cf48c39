/** Backups of real guests: what is in them, how they come back, and what is said where they cannot be made or trusted. */
import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { backupFolder, contentOf, runOf } from "../testbed/backups.ts";
import { inGuest } from "../testbed/in_guest.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** Writes known blocks to the guest's disk, past its caches: random ones, and a word at the start. */
const write = (vm: TestMachine, word: string) =>
  inGuest(
    vm,
    "/bin/sh",
    "-c",
    `printf %-512s ${word} | dd of=/dev/vda bs=512 count=1 conv=fsync,notrunc 2>/dev/null; ` +
      `dd if=/dev/urandom of=/dev/vda bs=65536 seek=64 count=24 conv=fsync,notrunc 2>/dev/null`,
  );

const files = async (folder: string): Promise<string[]> =>
  (await run(["find", folder, "-type", "f"])).trim().split("\n").filter((line) => line !== "").sort();

Deno.test({
  name: "a guest is backed up while it writes, and comes back as a new VM with the same content",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "backup",
      disks: [{}, { format: "raw", size: "8M" }],
      start: true,
    });
    await using pool = await testPool();
    await using folder = await backupFolder();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForAgent();
    await until(
      "the agent is known",
      async () => (await call(server, "get_vm", { vmId })).guestAgent === "connected",
    );
    await write(vm, "one");
    const { id: backupId } = await call(server, "create_backup", {
      name: "nightly",
      folder: folder.path,
      targets: { vmIds: [vmId] },
      keep: 2,
    });
    let first: BackupRun;

    await t.step("the run has the VM, and nothing half is left", async () => {
      first = await runOf(server, backupId);
      assert.equal(first.state, "done", JSON.stringify(first));
      const [copy] = first.copies;
      assert.deepEqual([copy!.vmId, copy!.name, copy!.state, copy!.disks], [vmId, vm.name, "done", [
        "vda",
        "vdb",
      ]]);
      assert.deepEqual([copy!.consistency, copy!.message], ["frozen", null]);
      assert.ok(copy!.storedBytes > 1.4 * 1024 ** 2, `random content is kept whole: ${copy!.storedBytes}`);
      assert.equal(copy!.bytes, 72 * 1024 ** 2);
      assert.equal(copy!.verified, null, "it never was verified");
      assert.equal(await vm.state(), "running");
      const told = await call(server, "get_activity", { vmId, actions: ["vm-backed-up"] });
      assert.deepEqual(told.map(({ result, vmName }) => [result, vmName]), [["event", vm.name]]);
      const all = await files(folder.path);
      assert.ok(!all.some((path) => /partial-|spool/.test(path)), all.join("\n"));
      for (const path of all) assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0, path);
    });

    await t.step("it is verified", async () => {
      const { ok, checkedBytes, run } = await call(server, "verify_backup", { backupId, runId: first.id });
      assert.deepEqual([ok, checkedBytes], [true, 72 * 1024 ** 2]);
      assert.equal(run.copies[0]!.verified!.ok, true);
    });

    await t.step("its guest goes on: nothing is frozen", async () => {
      assert.equal(await vm.agent("guest-fsfreeze-status"), "thawed");
    });

    await t.step("a new VM has what the guest had then, whatever it wrote since", async () => {
      const word = (await inGuest(vm, "/bin/sh", "-c", "dd if=/dev/vda bs=512 count=1 2>/dev/null")).trim();
      assert.equal(word, "one");
      const sum = (await inGuest(vm, "/bin/sh", "-c", "sha256sum /dev/vda")).split(" ")[0];
      await write(vm, "two");
      const name = `${vm.name}-restored`;
      const restored = await call(server, "restore_backup", {
        backupId,
        runId: first.id,
        vmId,
        name,
        pool: pool.name,
      });
      try {
        assert.deepEqual([restored.name, restored.warnings], [name, []]);
        assert.notEqual(restored.vmId, vmId);
        const vmNow = await call(server, "get_vm", { vmId: restored.vmId });
        assert.deepEqual(vmNow.disks.map(({ format }) => format), ["qcow2", "raw"]);
        const [disk] = vmNow.disks;
        assert.match(await run(["qemu-img", "check", "-f", "qcow2", disk!.source!]), /No errors/);
        assert.equal(await contentOf(disk!.source!, "qcow2"), sum);
        await virsh("start", name);
      } finally {
        await virsh("destroy", name).catch(() => {/* it was not started */});
        await virsh("undefine", name, "--nvram");
      }
    });

    await t.step(
      "what did not change is not kept twice; older copies go, and the newest stay whole",
      async () => {
        const second = await runOf(server, backupId);
        assert.equal(second.state, "done", JSON.stringify(second));
        assert.ok(second.copies[0]!.storedBytes < 4 * 1024 ** 2, String(second.copies[0]!.storedBytes));
        const third = await runOf(server, backupId);
        const runs = await call(server, "list_backup_runs", { backupId });
        assert.deepEqual(runs.map(({ id }) => id), [third.id, second.id]);
        for (const { id } of runs) {
          assert.equal((await call(server, "verify_backup", { backupId, runId: id })).ok, true);
        }
      },
    );
  },
});

Deno.test({
  name: "a VM that is off is backed up, restored in place, and refused where its copy is damaged",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "backupoff",
      guest: false,
      disks: [{ pool, size: "16M" }, { pool, size: "8M", format: "raw" }],
    });
    await using folder = await backupFolder();
    await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
    const vmId = vm.uuid, [qcow2, raw] = vm.disks;
    await known(server, vmId);
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 0x41 0 1M", "-c", "write -P 0x42 9M 70000", qcow2!]);
    await run(["qemu-io", "-f", "raw", "-c", "write -P 0x43 3M 1M", raw!]);
    const before = [await contentOf(qcow2!, "qcow2"), await contentOf(raw!, "raw")];
    /** Entries of the bin from this pool: the bin finds those of other tests' pools, too. */
    const kept = async () =>
      (await call(server, "list_bin", {})).map(({ name }) => name).filter((name) =>
        name.startsWith(`${pool.name}/`)
      );
    const { id: backupId } = await call(server, "create_backup", {
      name: "off",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const done = await runOf(server, backupId);

    await t.step("the copy is of a VM that was off", () => {
      assert.equal(done.state, "done", JSON.stringify(done));
      assert.equal(done.copies[0]!.consistency, "stopped");
      return Promise.resolve();
    });
    await t.step("in place, the VM has its disks as they were, and the old ones are gone", async () => {
      await run(["qemu-io", "-f", "qcow2", "-c", "write -P 0x55 0 16M", qcow2!]);
      const restored = await call(server, "restore_backup", {
        backupId,
        runId: done.id,
        vmId,
        inPlace: true,
      });
      assert.deepEqual(restored, { vmId, name: vm.name, warnings: [] });
      const { disks, networkInterfaces } = await call(server, "get_vm", { vmId });
      assert.deepEqual(networkInterfaces.length, 0);
      const now = await Promise.all(disks.map(({ source, format }) => contentOf(source!, format!)));
      assert.deepEqual(now, before);
      for (const path of [qcow2!, raw!]) await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
      assert.deepEqual(
        (await kept()).sort(),
        [qcow2!, raw!].map((path) => `${pool.name}/${path.split("/").at(-1)}`).sort(),
      );
      assert.equal(disks.every(({ source }) => source!.startsWith(`${pool.path}/`)), true);
    });
    await t.step(
      "disks that name a pool and a volume are replaced alike, and what is kept is said",
      async () => {
        const ours = (await call(server, "get_vm", { vmId })).disks.map(({ source }) => source!);
        let xml = await virsh("dumpxml", vmId);
        for (const path of ours) {
          const name = path.slice(pool.path.length + 1);
          xml = xml.replace(`<source file='${path}'/>`, `<source pool='${pool.name}' volume='${name}'/>`);
        }
        const file = await Deno.makeTempFile({ suffix: ".xml" });
        await Deno.writeTextFile(
          file,
          xml.replaceAll("<disk type='file' device='disk'", "<disk type='volume' device='disk'"),
        );
        await virsh("define", file);
        await Deno.remove(file);
        await until(
          "the disks are known by their volumes",
          async () => (await call(server, "get_vm", { vmId })).disks.every(({ type }) => type === "volume"),
        );
        const { warnings } = await call(server, "restore_backup", {
          backupId,
          runId: done.id,
          vmId,
          inPlace: true,
        });
        assert.deepEqual(warnings, []);
        const { disks } = await call(server, "get_vm", { vmId });
        assert.deepEqual(
          await Promise.all(disks.map(({ source, format }) => contentOf(source!, format!))),
          before,
        );
        for (const path of ours) {
          await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
        }
        assert.equal((await kept()).length, 4);
      },
    );
    await t.step("with another folder, what becomes of its copies is said, and nothing is lost", async () => {
      await using other = await backupFolder();
      const listed = async () => (await call(server, "list_backup_runs", { backupId })).map(({ id }) => id);
      const moved = await call(server, "update_backup", { backupId, folder: other.path });
      assert.match(
        moved.warnings.join(),
        new RegExp(`^Its copy stays in ${folder.path} .* reads everything`),
      );
      assert.deepEqual([moved.folder, await listed()], [other.path, []]);
      const back = await call(server, "update_backup", { backupId, folder: folder.path });
      assert.deepEqual([back.warnings, await listed()], [[], [done.id]]);
      assert.deepEqual((await call(server, "update_backup", { backupId, keep: 7 })).warnings, []);
    });
    await t.step("one disk comes back as a new volume, and no VM is changed", async () => {
      const from = { backupId, runId: done.id, vmId };
      const other = await call(server, "restore_backup_disk", {
        ...from,
        target: "vdb",
        pool: pool.name,
        volume: "one disk.raw",
      });
      assert.deepEqual([other.volume, other.format, other.path], [
        "one disk.raw",
        "raw",
        `${pool.path}/one disk.raw`,
      ]);
      assert.equal(await contentOf(other.path, "raw"), before[1]);
      const named = await call(server, "restore_backup_disk", { ...from, target: "vda", pool: pool.name });
      assert.match(named.volume, /-vda-\d{8}-\d{6}\.qcow2$/);
      assert.equal(await contentOf(named.path, "qcow2"), before[0]);
      await refused(
        call(server, "restore_backup_disk", {
          ...from,
          target: "vda",
          pool: pool.name,
          volume: named.volume,
        }),
        "VolumeExists",
      );
      await refused(
        call(server, "restore_backup_disk", { ...from, target: "vdz", pool: pool.name }),
        "RestoreNotPossible",
        /no disk vdz: vda, vdb/,
      );
      const { disks } = await call(server, "get_vm", { vmId });
      assert.ok(!disks.some(({ source }) => [other.path, named.path].includes(source!)));
    });
    await t.step("what would be lost or cannot be is refused", async () => {
      const restore = (more: object) =>
        call(server, "restore_backup", { backupId, runId: done.id, vmId, ...more });
      await refused(restore({}), "InvalidInput", /name is needed/);
      await refused(restore({ name: vm.name }), "VmNameExists");
      await refused(restore({ name: "a/../b" }), "InvalidName");
      await refused(restore({ name: "x-new", pool: "no-pool" }), "StoragePoolNotFound");
      await virsh("start", vm.name);
      await until("it runs", async () => (await call(server, "get_vm", { vmId })).state === "running");
      await refused(restore({ inPlace: true }), "VmMustBeOff");
      await virsh("destroy", vm.name);
      await until("it is off", async () => (await call(server, "get_vm", { vmId })).state === "stopped");
    });
    await t.step("a new host with an empty database has the copies of the folder", async () => {
      await using other = await readyServer();
      const { id } = await call(other, "create_backup", {
        name: "found",
        folder: folder.path,
        targets: { vmIds: [vmId] },
      });
      const [found] = await call(other, "list_backup_runs", { backupId: id });
      assert.deepEqual([found!.id, found!.found, found!.copies[0]!.vmId], [done.id, true, vmId]);
      const name = `${vm.name}-found`;
      const restored = await call(other, "restore_backup", {
        backupId: id,
        runId: done.id,
        vmId,
        name,
        pool: pool.name,
      });
      try {
        const { disks } = await call(other, "get_vm", { vmId: restored.vmId });
        assert.equal(await contentOf(disks[0]!.source!, "qcow2"), before[0]);
      } finally {
        await virsh("undefine", name);
        await virsh("pool-refresh", pool.name);
      }
    });
    await t.step(
      "a damaged chunk is found, and its copy is not restored; the next run heals it",
      async () => {
        const chunks = (await files(folder.path)).filter((path) => path.includes("/chunks/"));
        const bytes = await Deno.readFile(chunks[0]!);
        bytes[bytes.length - 5]! ^= 0xff;
        await Deno.writeFile(chunks[0]!, bytes);
        const name = `${vm.name}-bad`;
        await refused(
          call(server, "restore_backup", { backupId, runId: done.id, vmId, name, pool: pool.name }),
          "BackupDamaged",
          /the chunk [0-9a-f]{64} is damaged/,
        );
        assert.ok(!(await virsh("list", "--all", "--name")).includes(name));
        assert.ok(
          !(await Array.fromAsync(Deno.readDir(pool.path))).some((each) => each.name.startsWith(name)),
        );
        const checked = await call(server, "verify_backup", { backupId, runId: done.id });
        assert.equal(checked.ok, false);
        assert.match(checked.run.copies[0]!.verified!.message!, /is damaged/);
        assert.equal((await runOf(server, backupId)).state, "done");
        assert.equal((await call(server, "verify_backup", { backupId, runId: done.id })).ok, true);
      },
    );
    await t.step("a folder that is gone, or another one, is said, and the VM is as it was", async () => {
      await Deno.rename(`${folder.path}/kvm-manager-backups`, `${folder.path}/away`);
      const gone = /its backups are not there. Is its disk or share mounted\?/;
      await refused(call(server, "run_backup_now", { backupId }), "BackupFolderUnusable", gone);
      await refused(
        call(server, "create_backup", { name: "x", folder: "/no/such", targets: { all: true } }),
        "BackupFolderUnusable",
        /it is not there/,
      );
      await Deno.rename(`${folder.path}/away`, `${folder.path}/kvm-manager-backups`);
      await Deno.chmod(`${folder.path}/kvm-manager-backups`, 0o777);
      await refused(
        call(server, "run_backup_now", { backupId }),
        "BackupFolderUnusable",
        /others may write/,
      );
      await Deno.chmod(`${folder.path}/kvm-manager-backups`, 0o711);
      assert.equal(await vm.state(), "shut off");
      assert.equal((await runOf(server, backupId)).state, "done");
    });
  },
});
