import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { TestClock } from "../testing.ts";
import { BackupTaskRun } from "./backup_task.ts";

/** A backup that runs until its schedule's task is cancelled. @returns ids of the jobs that were cancelled with it */
async function cancelled(more: { readonly joined?: true }): Promise<string[]> {
  const run = { id: "r", jobId: "j", state: "running", copies: [], message: null } as unknown as BackupRun;
  const ended = new AbortController(), jobs: string[] = [];
  const task = new BackupTaskRun({
    schedule: { name: "nightly", backupId: "b" },
    api: {
      runBackupNow: () => Promise.resolve({ ...run, ...more }),
      listBackupRuns: () => Promise.resolve([run]),
      cancelJob: ({ jobId }) => {
        jobs.push(jobId);
        return Promise.resolve(null);
      },
    },
    job: { signal: ended.signal, log: () => ended.abort(new Error("cancelled")) },
    clock: new TestClock(),
  });
  await assert.rejects(task.run(), /cancelled/);
  return jobs;
}

Deno.test("a schedule's task that is cancelled ends the run that it began, and none of others", async () => {
  assert.deepEqual(await cancelled({}), ["j"]);
  assert.deepEqual(await cancelled({ joined: true }), []);
});
