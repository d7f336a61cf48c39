/** Backups on bad days: the agent is killed in the middle, the folder is full or read-only. Nothing half counts as a backup. */
import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** Files in a folder of backups that belong to no complete copy. */
async function half(folder: string): Promise<string[]> {
  const found = await run(["find", `${folder}/kvm-manager-backups`, "-mindepth", "2"]);
  return found.split("\n").filter((path) => /partial-|\/spool\//.test(path));
}

Deno.test({
  name: "an agent that is killed while it backs up leaves nothing that counts, and the next run is whole",
  ignore,
  fn: async () => {
    await using vm = await testMachine({
      purpose: "backupkill",
      guest: false,
      disks: [{ format: "raw", size: "192M" }],
    });
    await using folder = await backupFolder();
    await run(["dd", "if=/dev/urandom", `of=${vm.disks[0]}`, "bs=1M", "count=160", "conv=notrunc"]);
    await vm.start();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      let backupId = "";
      // In QEMU's part, and in ours; the later ones depend on how fast the machine is.
      for (const ms of [30, 400, 900, 1500]) {
        await using server = await readyServer({ dataDir });
        await known(server, vm.uuid);
        if (backupId === "") {
          const input = { name: "killed", folder: folder.path, targets: { vmIds: [vm.uuid] }, keep: 1 };
          backupId = (await call(server, "create_backup", input)).id;
        }
        await call(server, "run_backup_now", { backupId });
        await delay(ms);
        await server.kill();
        assert.equal(await vm.state(), "running");
      }
      await using server = await readyServer({ dataDir });
      await known(server, vm.uuid);
      const whole = (runs: readonly BackupRun[]) => runs.filter(({ state }) => state === "done");
      await until(
        "what was cut short is said",
        async () =>
          (await call(server, "list_backup_runs", { backupId })).every(({ state }) => state !== "running"),
      );
      for (const { id, state, copies } of await call(server, "list_backup_runs", { backupId })) {
        assert.ok(state === "interrupted" || state === "done", state);
        if (copies.length > 0) {
          assert.equal((await call(server, "verify_backup", { backupId, runId: id })).ok, true);
        }
      }
      const last = await runOf(server, backupId);
      assert.equal(last.state, "done", JSON.stringify(last));
      assert.deepEqual(await half(folder.path), []);
      assert.equal((await call(server, "verify_backup", { backupId, runId: last.id })).ok, true);
      assert.equal(await vm.state(), "running");
      assert.match(await virsh("domjobinfo", vm.name), /Job type:\s+None/);
      assert.ok(whole(await call(server, "list_backup_runs", { backupId })).length >= 1);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a folder that is full or read-only, and a cancelled task, leave the VM running and nothing half",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "backupfull",
      guest: false,
      disks: [{ format: "raw", size: "96M" }],
    });
    await run(["dd", "if=/dev/urandom", `of=${vm.disks[0]}`, "bs=1M", "count=96", "conv=notrunc"]);
    await using folder = await backupFolder();
    await using undo = new AsyncDisposableStack();
    await run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=711", "tmpfs", folder.path]);
    undo.defer(async () => void await run(["umount", "-l", folder.path]));
    // QEMU has the mounts that were there when it began, where those of the host are not passed on.
    await vm.start();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: "full",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const stillRuns = async () => {
      assert.equal(await vm.state(), "running");
      assert.match(await virsh("domjobinfo", vm.name), /Job type:\s+None/);
    };
    await t.step("full while it is kept", async () => {
      const { state, message, copies } = await runOf(server, backupId);
      assert.deepEqual([state, copies.map((copy) => copy.state)], ["failed", ["failed"]]);
      assert.match(message!, /is full/);
      assert.deepEqual(await half(folder.path), []);
      await stillRuns();
    });
    await t.step("cancelled", async () => {
      await run(["mount", "-o", "remount,size=300m", folder.path]);
      const { id } = await call(server, "run_backup_now", { backupId });
      const jobId = await until(
        "its task",
        async () =>
          (await call(server, "list_jobs", {})).find(({ command, state }) =>
            command === "run_backup_now" && state === "running"
          )?.id,
      );
      await call(server, "cancel_job", { jobId });
      const ended = await until(
        "its end",
        async () =>
          (await call(server, "list_backup_runs", { backupId })).find((each) =>
            each.id === id && each.state !== "running"
          ),
      );
      assert.ok(["cancelled", "done"].includes(ended.state), ended.state);
      assert.deepEqual(await half(folder.path), []);
      await stillRuns();
    });
    await t.step("read-only", async () => {
      assert.equal((await runOf(server, backupId)).state, "done");
      await run(["mount", "-o", "remount,ro", folder.path]);
      await refused(
        call(server, "create_backup", { name: "ro", folder: folder.path, targets: { all: true } }),
        "BackupFolderUnusable",
        /it is read-only/,
      );
      const { state, message } = await runOf(server, backupId);
      assert.equal(state, "failed");
      assert.match(message!, /it is read-only/);
      const [kept] = (await call(server, "list_backup_runs", { backupId })).filter((each) =>
        each.state === "done"
      );
      assert.equal((await call(server, "verify_backup", { backupId, runId: kept!.id })).ok, true);
      await stillRuns();
      await run(["mount", "-o", "remount,rw", folder.path]);
      assert.equal((await runOf(server, backupId)).state, "done");
    });
  },
});

Deno.test({
  name:
    "QEMU copies to where there is room, to files that other users cannot read, and stops before VMs have none",
  ignore,
  fn: async (t) => {
    await using own = await testPool("spoolown");
    await using undo = new AsyncDisposableStack();
    await run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "tmpfs", own.path]);
    undo.defer(async () => void await run(["umount", "-l", own.path]));
    await using vm = await testMachine({
      purpose: "backupspool",
      guest: false,
      disks: [{ pool: own, format: "raw", size: "96M" }],
    });
    await run(["dd", "if=/dev/urandom", `of=${vm.disks[0]}`, "bs=1M", "count=96", "conv=notrunc"]);
    await vm.start();
    await using folder = await backupFolder();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const input = { name: "spool", folder: folder.path, targets: { vmIds: [vmId] }, maxMibPerSecond: 16 };
    const { id: backupId } = await call(server, "create_backup", input);
    const spools = async (...folders: string[]) =>
      (await run(["find", ...folders, "-path", "*/.kvm-manager-spool-*", "-printf", "%y %m %p\n"]))
        .split("\n").filter((line) => line !== "");
    await t.step("a pool without room is not taken, and what is not had is said", async () => {
      const { state, message } = await runOf(server, backupId);
      if (state === "failed") assert.match(message!, /no room for that: 97 MiB are needed/);
      else assert.equal(state, "done", "another pool of this host has room");
      assert.deepEqual(await spools(own.path), []);
      assert.equal(await vm.state(), "running");
    });
    await t.step(
      "the VM's own pool is taken where it has room; other users cannot read the copy",
      async () => {
        await run(["mount", "-o", "remount,size=400m", own.path]);
        const ended = runOf(server, backupId, true);
        const found = await until("QEMU's copy", async () => {
          const all = await spools(own.path);
          return all.length > 1 ? all : null;
        }, { every: 20 });
        assert.deepEqual(found.filter((line) => line.startsWith("f")).map((line) => line.slice(0, 5)), [
          "f 600",
        ]);
        assert.deepEqual(await run(["find", folder.path, "-name", "*.qcow2"]), "");
        assert.equal((await ended).state, "done");
        assert.deepEqual(await spools(own.path), []);
      },
    );
    await t.step("a pool that others fill meanwhile: the copy fails, the VM goes on", async () => {
      const ended = runOf(server, backupId, true);
      await until("QEMU's copy", async () => (await spools(own.path)).length > 1, { every: 20 });
      // Until there is nothing left: dd ends by that.
      await run(["sh", "-c", 'dd if=/dev/zero of="$0" bs=1M 2>/dev/null; true', `${own.path}/other`]);
      const { state, message } = await ended;
      await Deno.remove(`${own.path}/other`);
      assert.equal(state, "failed");
      // Whichever comes first: our look, or the kernel.
      assert.match(message!, /is nearly full|No space left/);
      assert.deepEqual(await spools(own.path), []);
      assert.equal(await vm.state(), "running");
      assert.match(await virsh("domjobinfo", vm.name), /Job type:\s+None/);
    });
    await t.step("what is left after a kill goes at the next start", async () => {
      await call(server, "run_backup_now", { backupId, full: true });
      await until("QEMU's copy", async () => (await spools(own.path)).length > 1, { every: 20 });
      await server.kill();
      assert.notDeepEqual(await spools(own.path), []);
      await using again = await readyServer({ dataDir: server.dataDir });
      await until("it is gone", async () => (await spools(own.path)).length === 0);
      await until("QEMU copies no more", async () => /None/.test(await virsh("domjobinfo", vm.name)));
      assert.equal((await runOf(again, backupId)).state, "done");
    });
  },
});
