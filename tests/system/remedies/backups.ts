/** Advice in errors of backups and schedules, carried out. */
import assert from "node:assert/strict";
import { backupFolder, endOf, runOf } from "../../testbed/backups.ts";
import { claimedVm } from "../../testbed/claimed_vm.ts";
import { asRoot, personWith } from "../../testbed/people.ts";
import { run } from "../../testbed/process.ts";
import { call, refused } from "../../testbed/product.ts";
import { type RemedyTrial, stopped } from "./trial.ts";

const DAILY = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;
const EVERYTHING = { kind: "everything" } as const;

/** Paths of the chunks in a folder of backups. */
const chunksIn = async (folder: string) =>
  (await run(["find", `${folder}/kvm-manager-backups/chunks`, "-type", "f"])).trim().split("\n");

/** Fills a disk with other content each time. */
const refill = (disk: string, pattern: number) =>
  run(["qemu-io", "-f", "qcow2", "-c", `write -q -P ${pattern} 0 8M`, disk]);

export const OF_BACKUPS: Readonly<Record<string, RemedyTrial>> = {
  BackupRunning: {
    here: (server) =>
      stopped(server, async (vmId) => {
        await using folder = await backupFolder();
        const { id: backupId } = await call(server, "create_backup", {
          name: "remedy-running",
          folder: folder.path,
          targets: { vmIds: [vmId] },
        });
        for (const way of ["cancelled", "waited for"]) {
          const going = await call(server, "run_backup_now", { backupId });
          await refused(call(server, "run_backup_now", { backupId, full: true }), "BackupRunning");
          if (way === "cancelled") await call(server, "cancel_job", { jobId: going.jobId! });
          await endOf(server, backupId, going.id);
          assert.equal((await runOf(server, backupId, true)).state, "done");
        }
        await call(server, "delete_backup", { backupId });
      }),
  },
  ScheduleOwnerLost: {
    here: async (server) => {
      const owner = await personWith(server, "leaves", [{ role: "operator", on: EVERYTHING }]);
      const { id: scheduleId } = await owner.call("create_schedule", {
        name: "remedy-owner",
        action: "start",
        targets: { tags: ["remedy"] },
        ...DAILY,
      });
      await asRoot(server, "delete_user", { userId: owner.userId });
      // The same as its run would fail with
      const lost = async () => (await call(server, "get_schedule", { scheduleId })).ownerLost;
      assert.ok(await lost());
      await call(server, "update_schedule", { scheduleId, name: "remedy-owner" });
      assert.equal(await lost(), undefined);
      await call(server, "delete_schedule", { scheduleId });
    },
  },
  BackupOwnerLost: {
    here: async (server) => {
      await using folder = await backupFolder();
      const owner = await personWith(server, "leaves-too", [{ role: "administrator", on: EVERYTHING }]);
      const { id: backupId } = await owner.call("create_backup", {
        name: "remedy-owner",
        folder: folder.path,
        targets: { tags: ["remedy"] },
        ...DAILY,
      });
      await asRoot(server, "delete_user", { userId: owner.userId });
      const lost = async () => (await call(server, "get_backup", { backupId })).ownerLost;
      assert.ok(await lost());
      await call(server, "update_backup", { backupId, name: "remedy-owner" });
      assert.equal(await lost(), undefined);
      await call(server, "delete_backup", { backupId });
    },
  },
  BackupTargetInUse: {
    here: async (server) => {
      await using folder = await backupFolder();
      const { id: backupTargetId } = await call(server, "create_backup_target", {
        name: "remedy-used",
        kind: "folder",
        folder: folder.path,
      });
      const { id: backupId } = await call(server, "create_backup", {
        name: "remedy-used",
        backupTargetId,
        targets: { tags: ["remedy"] },
      });
      const remove = () => call(server, "delete_backup_target", { backupTargetId });
      await refused(remove(), "BackupTargetInUse");
      await call(server, "delete_backup", { backupId });
      await remove();
    },
  },
  BackupDamaged: {
    here: (server) =>
      stopped(server, async (vmId, { pool, disk }) => {
        await using folder = await backupFolder();
        await using copy = await claimedVm("remedy-copy");
        const { id: backupId } = await call(server, "create_backup", {
          name: "remedy-damaged",
          folder: folder.path,
          targets: { vmIds: [vmId] },
        });
        await refill(disk, 1);
        const { id: first } = await runOf(server, backupId);
        const damaged = await chunksIn(folder.path);
        await refill(disk, 2);
        const { id: second } = await runOf(server, backupId);
        for (const path of damaged) await Deno.truncate(path, 1);
        const restore = (runId: string) =>
          call(server, "restore_backup", { backupId, runId, vmId, name: copy.name, pool });
        await refused(restore(first), "BackupDamaged");
        assert.equal((await call(server, "verify_backup", { backupId, runId: first })).ok, false);
        assert.equal((await call(server, "verify_backup", { backupId, runId: second })).ok, true);
        const made = await restore(second);
        await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true, permanently: true });
        await call(server, "delete_backup", { backupId });
      }),
  },
};
