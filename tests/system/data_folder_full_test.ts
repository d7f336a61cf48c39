/** Runs that end while the data folder is full: they are told as they ended, also after a restart, once there is room. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { backupFolder } from "../testbed/backups.ts";
import { fill } from "../testbed/fill.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;
/** Seconds that the guest is given to shut down, which has nothing that does. */
const DEADLINE = 20;

/** The states of the runs and tasks as they are written. */
function written(dataDir: string): string[] {
  using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
  return ["backup_runs", "schedule_runs", "jobs"].flatMap((table) =>
    database.prepare(`SELECT state FROM ${table}`).all().map(({ state }) => String(state))
  );
}

/** The backup's run, the schedule's, and their tasks. */
async function told(server: TestServer, backupId: string, scheduleId: string) {
  const runs = await call(server, "list_backup_runs", { backupId });
  const ran = await call(server, "get_schedule_history", { scheduleId });
  const jobs = await call(server, "list_jobs", {});
  return {
    states: [...runs, ...ran].map(({ state }) => state),
    copies: runs.flatMap(({ copies }) => copies.map(({ state }) => state)),
    results: ran.flatMap(({ results }) => results.map(({ outcome }) => outcome)),
    tasks: ["run_backup_now", "run_schedule_now"].map((command) =>
      jobs.find((job) => job.command === command)?.state
    ),
  };
}

Deno.test({
  name:
    "a backup and a schedule that end while the data folder is full are told as they ended after a restart",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const { path: dataDir } = undo.use(await testFolder());
    await run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", dataDir]);
    undo.defer(async () => void await run(["umount", "-l", dataDir]));
    const folder = undo.use(await backupFolder());
    const copied = undo.use(
      await testMachine({ purpose: "full-copied", guest: false, disks: [{ format: "raw", size: "16M" }] }),
    );
    const stopped = undo.use(await testMachine({ purpose: "full-stopped", guest: false, start: true }));
    await run(["dd", "if=/dev/urandom", `of=${copied.disks[0]}`, "bs=1M", "count=16", "conv=notrunc"]);
    const ended = {
      states: ["done", "done"],
      copies: ["done"],
      results: ["forced"],
      tasks: ["done", "done"],
    };
    let backupId: string, scheduleId: string;
    {
      await using server = await readyServer({ dataDir });
      for (const { uuid } of [copied, stopped]) await known(server, uuid);
      ({ id: backupId } = await call(server, "create_backup", {
        name: "full",
        folder: folder.path,
        targets: { vmIds: [copied.uuid] },
        maxMibPerSecond: 1,
      }));
      ({ id: scheduleId } = await call(server, "create_schedule", {
        name: "full",
        action: "stop",
        targets: { vmIds: [stopped.uuid] },
        deadlineSeconds: DEADLINE,
        force: true,
        frequency: "daily",
        time: "03:30",
        timeZone: "UTC",
      }));
      await call(server, "run_backup_now", { backupId });
      await call(server, "run_schedule_now", { scheduleId });
      await until(
        "both to be written as running",
        () => Promise.resolve(written(dataDir).filter((state) => state === "running").length === 4),
      );
      fill(`${dataDir}/filler`);
      const running = written(dataDir);
      assert.equal(running.filter((state) => state === "running").length, 4, "they ended before it was full");
      await until("both to end", async () => {
        const { states } = await told(server, backupId, scheduleId);
        return states.every((state) => state !== "running");
      }, { seconds: 90, every: 200 });
      assert.deepEqual(await told(server, backupId, scheduleId), ended);
      assert.deepEqual(written(dataDir), running, "something could be written: the folder was not full");
      const { attention } = await call(server, "get_host_info");
      assert.ok(attention.some((text) => /full/.test(text)), JSON.stringify(attention));
      await Deno.remove(`${dataDir}/filler`);
    }
    await using server = await readyServer({ dataDir });
    assert.deepEqual(await told(server, backupId, scheduleId), ended);
  },
});
