import assert from "node:assert/strict";
import { type BackupContext, backupHandlers } from "./handlers.ts";

Deno.test("list_vm_backups tells of a backup's targets those alone that are this VM", async () => {
  const vm = { id: "mine", name: "web", tags: ["daily"], group: "team" };
  const targets = {
    all: false,
    vmIds: ["mine", "theirs"],
    tags: ["daily", "their tag"],
    groups: ["team", "their group"],
  };
  const backup = { id: "b", name: "all", targets, timing: null, owner: { name: "root" }, handled: 0 };
  const handlers = backupHandlers({
    records: { require: () => {}, all: () => [backup] },
    runs: { isRunning: () => false, lastRun: () => null, list: () => Promise.resolve([]) },
    clock: { now: () => 0 },
    host: () => ({ requireVm: () => vm }),
  } as unknown as BackupContext);
  const { backups } = await handlers.list_vm_backups({ vmId: "mine" }, undefined as never);
  assert.deepEqual(backups.map((each) => each.targets), [
    { all: false, vmIds: ["mine"], tags: ["daily"], groups: ["team"] },
  ]);
});
