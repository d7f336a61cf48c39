import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Store } from "../store/store.ts";
import {
  BACKUP_MIGRATIONS,
  BackupRecords,
  type StoredBackup,
  type StoredBackupRun,
  type StoredCopy,
} from "./records.ts";

const backup = (id: string): StoredBackup => ({
  id,
  name: id,
  enabled: true,
  folder: "/backups",
  repository: "",
  timing: null,
  targets: { all: true, vmIds: [], tags: [], groups: [] },
  missed: "skip",
  bootTest: "never",
  maxMibPerSecond: 0,
  parallel: 1,
  createdAt: 0,
  handled: 0,
  owner: { kind: "host", name: "root" },
  keep: 1,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  keepYearly: 0,
});

const copy = (copyId: string | null): StoredCopy => ({
  vmId: "vm",
  name: "web",
  state: "done",
  message: null,
  takenAt: 1,
  consistency: "stopped",
  bytes: 1,
  storedBytes: 1,
  readBytes: 1,
  disks: ["vda"],
  copyId,
});

Deno.test("what was found of a copy goes with it, and with its backup; that of other backups stays", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "backups", migrations: BACKUP_MIGRATIONS }]);
  try {
    const records = new BackupRecords(store);
    for (const [id, copies] of [["a", ["a1", null, "a2"]], ["b", ["b1", "b2"]]] as const) {
      records.put(backup(id));
      const run = {
        id: `run ${id}`,
        startedAt: 1,
        endedAt: 2,
        state: "done",
        actor: "root",
        jobId: null,
      } as const;
      records.putRun(id, { ...run, message: null, copies: copies.map(copy) });
      for (const copyId of copies) {
        if (copyId === null) continue;
        records.keepCheck(copyId, { at: 1, ok: true, message: null });
        const tested = { at: 1, ok: true, by: "agent", message: null, seconds: 1, screen: true } as const;
        records.keepBootTest(copyId, tested, new Uint8Array([1]), { backupId: id, vmId: "vm" });
      }
    }
    /** Copies that something is known of, in the database and in memory. */
    const known = () => {
      const kept = ["backup_checks", "backup_boot_tests"].map((table) =>
        store.database!.prepare(`SELECT copy_id FROM ${table} ORDER BY copy_id`).all().map((row) =>
          row.copy_id
        )
      );
      const ids = ["a1", "a2", "b1", "b2"];
      const checks = ids.filter((id) => records.check(id)), tests = ids.filter((id) => records.bootTest(id));
      assert.deepEqual(kept, [checks, tests]);
      assert.deepEqual(tests, ids.filter((id) => records.screen(id)));
      return kept;
    };
    assert.deepEqual(known(), [["a1", "a2", "b1", "b2"], ["a1", "a2", "b1", "b2"]]);
    records.forgetCopy("b1");
    records.forgetCopy("nobody's");
    assert.equal(
      records.lastBootTest("b", "vm"),
      1,
      "retention took the copy, and the test was made all the same",
    );
    assert.deepEqual(known(), [["a1", "a2", "b2"], ["a1", "a2", "b2"]]);
    records.remove("a");
    assert.deepEqual(known(), [["a1", "a2", "b2"], ["b2"]]);
    assert.deepEqual([records.lastBootTest("a", "vm"), records.lastBootTest("b", "vm")], [undefined, 1]);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runs of which there are copies are kept, however many came since; others are bounded", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "backups", migrations: BACKUP_MIGRATIONS }]);
  try {
    const records = new BackupRecords(store);
    records.put(backup("often"));
    const put = (number: number, copies: StoredCopy[]) =>
      records.putRun("often", {
        id: `run ${number}`,
        startedAt: number,
        endedAt: number,
        state: "done",
        actor: "root",
        jobId: null,
        message: null,
        copies,
      });
    // Each second one has failed, as where the share is away.
    for (let number = 0; number < 1200; number++) put(number, [copy(number % 2 ? `copy ${number}` : null)]);
    const kept = records.runs("often");
    assert.equal(kept.length, 500 + 350, "of the older 700, those with a copy");
    assert.equal(kept.at(-1)!.id, "run 1");
    records.dropRuns("often", new Set(["copy 1", "copy 3", "copy 1199"]));
    assert.deepEqual(records.runs("often").slice(499).map(({ id }) => id), ["run 700", "run 3", "run 1"]);
    records.remove("often");
    assert.deepEqual(records.runs("often"), []);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what an earlier version has booted is known to be: weekly tests are not all due at once", async () => {
  const folder = await Deno.makeTempDir();
  const open = (migrations: readonly string[]) =>
    new Store(folder, undefined, [{ name: "backups", migrations }]);
  try {
    const before = open(BACKUP_MIGRATIONS.slice(0, -2));
    const run = {
      id: "run",
      message: "It failed for 2 of 7 VMs. web: no room",
      copies: [copy("old"), copy("new"), copy(null)],
    };
    before.open()!.prepare("INSERT INTO backup_runs VALUES ('run', 'a', 1, 'done', ?)").run(
      JSON.stringify(run),
    );
    for (const [copyId, at] of [["old", 5], ["new", 9], ["another's", 20]] as const) {
      before.open()!.prepare("INSERT INTO backup_boot_tests VALUES (?, ?, NULL)").run(
        copyId,
        JSON.stringify({ at, ok: true }),
      );
    }
    before.close();
    const store = open(BACKUP_MIGRATIONS);
    const records = new BackupRecords(store);
    assert.equal(records.lastBootTest("a", "vm"), 9);
    // Which VMs its text names is not known
    assert.deepEqual(records.runs("a").map(({ message }) => message), [{
      $foreign: run.message,
      vmIds: [""],
    }]);
    store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a run whose end cannot be written is shown as it ended, and written once that works", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "backups", migrations: BACKUP_MIGRATIONS }]);
  try {
    const records = new BackupRecords(store);
    records.put(backup("a"));
    const run: StoredBackupRun = {
      id: "run",
      startedAt: 1,
      endedAt: null,
      state: "running",
      actor: "root",
      jobId: null,
      message: null,
      copies: [],
    };
    records.putRun("a", run);
    const other = new DatabaseSync(`${folder}/kvm-manager.db`), write = store.write.bind(store);
    // As on a disk that is full: statements are carried out, and undone at the end
    store.write = (carryOut) => {
      store.database!.exec("BEGIN");
      carryOut();
      store.database!.exec("ROLLBACK");
      return false;
    };
    records.keepRun("a", { ...run, state: "done", endedAt: 2 });
    store.write = write;
    const stored = () =>
      JSON.parse(String(other.prepare("SELECT record FROM backup_runs").get()!.record)).state;
    assert.equal(stored(), "running");
    assert.deepEqual(records.runs("a").map(({ state }) => state), ["done"]);
    assert.deepEqual(records.unfinished(), []);
    store.check();
    assert.equal(stored(), "done");
    other.close();
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what was found out while nothing can be written is shown, and written once that works", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "backups", migrations: BACKUP_MIGRATIONS }]);
  try {
    const records = new BackupRecords(store), checked = { at: 1, ok: true, message: null };
    for (const id of ["a", "b"]) records.put(backup(id));
    records.keepCheck("gone", checked);
    const tested = { at: 3, ok: true, by: "agent", message: null, seconds: 1, screen: false } as const;
    const other = new DatabaseSync(`${folder}/kvm-manager.db`);
    other.exec("BEGIN EXCLUSIVE");
    records.keepCovered("a", { covered: ["vm"], leftOut: [] });
    records.keepCheck("new", checked);
    records.keepBootTest("new", tested, undefined, { backupId: "b", vmId: "vm" });
    records.forgetCopy("gone");
    records.dropRuns("a", new Set());
    other.exec("ROLLBACK");
    /** As they are shown. */
    const shown = (of: BackupRecords) => [
      of.get("a")!.covered,
      ...[of.check("gone"), of.check("new"), of.bootTest("new")],
    ];
    const expected = [["vm"], null, checked, tested];
    assert.deepEqual(shown(records), expected);
    assert.equal(other.prepare("SELECT count(*) AS count FROM backup_boot_tests").get()!.count, 0);
    other.close();
    store.check();
    store.close();
    const again = new BackupRecords(store);
    assert.deepEqual(shown(again), expected);
    assert.equal(again.lastBootTest("b", "vm"), 3);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
