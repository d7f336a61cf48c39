/** Backups on bad days: the agent is killed in the middle, the folder is full or read-only. Nothing half counts as a backup. */
import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** What is in a folder of backups that belongs to no whole copy. */
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
    const dataDir = await Deno.makeTempDir({ prefix: `${await testName("backup-kill")}-` });
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
    await t.step("full while QEMU copies", async () => {
      const { state, message, copies } = await runOf(server, backupId);
      assert.deepEqual([state, copies.map((copy) => copy.state)], ["failed", ["failed"]]);
      assert.match(message!, /No space left|is full|ended it/i);
      assert.deepEqual(await half(folder.path), []);
      await stillRuns();
    });
    await t.step("full while it is kept", async () => {
      await run(["mount", "-o", "remount,size=140m", folder.path]);
      const { state, message } = await runOf(server, backupId);
      assert.equal(state, "failed");
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
