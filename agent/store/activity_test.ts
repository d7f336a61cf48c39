import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { until } from "../../ffi/testing.ts";
import type { Activity as ActivityText } from "../../lib/contract/host.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import { TestClock } from "../testing.ts";
import { ActivityLog, type ActivityTimes, type WantedActivity } from "./activity.ts";
import { DATABASE_FILE } from "./database.ts";
import { Store } from "./store.ts";
import { skippedUnlessRoot } from "../../tests/testbed/skipped_unless.ts";

type Activity = Unrendered<ActivityText>;

const QUICK: ActivityTimes = { flush: 1, retry: 20 };
/** A log with a store of its own. */
class OwnLog extends ActivityLog {
  readonly store: Store;
  constructor(folder: string, onEntry: (activity: Activity) => void, times?: ActivityTimes) {
    const store = new Store(folder);
    super(store, onEntry, times);
    this.store = store;
  }
  get trouble() {
    return this.store.trouble;
  }
  override close() {
    super.close();
    this.store.close();
  }
}
const entry = (action: string, vmId?: string) => ({
  actor: "ann",
  door: "api",
  action,
  result: "ok" as const,
  ...(vmId !== undefined && { vmId }),
});

/** Runs in a folder of its own, with nothing on stderr: troubles are logged. */
async function withFolder(run: (folder: string, path: string) => void | Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const { stderr } = Deno, original = stderr.writeSync;
  stderr.writeSync = (bytes) => bytes.length;
  try {
    await run(folder, `${folder}/${DATABASE_FILE}`);
  } finally {
    stderr.writeSync = original;
    await Deno.remove(folder, { recursive: true });
  }
}
const stored = (path: string): { id: number; action: string; input: string | null }[] => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare("SELECT id, action, input FROM activity ORDER BY id")
      .all() as unknown as ReturnType<typeof stored>;
  } finally {
    database.close();
  }
};

Deno.test("ActivityLog.record() numbers entries, tells them at once and writes them soon", () =>
  withFolder(async (folder, path) => {
    const told: Activity[] = [];
    const log = new OwnLog(folder, (activity) => told.push(activity), QUICK);
    const first = log.record({
      ...entry("start_vm", "u"),
      vmName: "web",
      input: { vmId: "u" },
      tookMs: 1.5,
      message: "é\n",
    });
    log.record(entry("stop_vm"));
    assert.deepEqual(told.map(({ id, action }) => [id, action]), [[1, "start_vm"], [2, "stop_vm"]]);
    assert.ok(!("input" in first) && !("door" in first), "the pages see no input");
    await until("both are stored", () => stored(path).length === 2);
    assert.deepEqual(JSON.parse(stored(path)[0]!.input!), { vmId: "u" });
    log.close();
    const again = new OwnLog(folder, () => {}, QUICK);
    assert.deepEqual(again.latest(10), told.toReversed());
    assert.equal(again.record(entry("next")).id, 3);
    again.close();
    assert.deepEqual(stored(path).map(({ id }) => id), [1, 2, 3]);
  }));

Deno.test("ActivityLog.close() writes what waits", () =>
  withFolder((folder, path) => {
    const log = new OwnLog(folder, () => {});
    log.record(entry("a"));
    log.close();
    assert.deepEqual(stored(path).map(({ action }) => action), ["a"]);
  }));

Deno.test("ActivityLog.latest() has a range of the past, of some actions, without what failed, and reads its index", () =>
  withFolder((folder, path) => {
    const clock = new TestClock(Date.UTC(2026, 0, 1));
    const store = new Store(folder), log = new ActivityLog(store, () => {}, QUICK, clock);
    const day = 86_400_000, begin = clock.now();
    for (let at = 0; at < 40; at++) {
      clock.set(begin + at * day);
      log.record(entry("start_vm", "u"));
      log.record({ ...entry("start_vm", "u"), result: "error" });
      log.record(entry("stop_vm", "v"));
      for (let each = 0; each < 100; each++) log.record(entry("open_console", "u"));
    }
    const range = { since: begin + 3 * day, until: begin + 6 * day, succeeded: true } as const;
    const seen = (wanted: WantedActivity) =>
      log.latest(500, wanted).map(({ action, vmId, timestamp }) => [action, vmId, (timestamp - begin) / day]);
    const both = { ...range, actions: ["start_vm", "stop_vm"] };
    assert.deepEqual(seen({ ...both, vmId: "u" }), [5, 4, 3].map((at) => ["start_vm", "u", at]));
    assert.deepEqual(seen(both).length, 6);
    assert.deepEqual(log.latest(2, both).map(({ action }) => action), ["stop_vm", "start_vm"]);
    assert.equal(seen({ ...both, succeeded: false }).length, 9);
    assert.equal(seen({ actions: ["stop_vm"] }).length, 40, "those in memory, and those that are stored");
    assert.deepEqual(seen({ ...both, since: begin + 39 * day, until: begin + 40 * day }).length, 2);
    log.close();
    store.close();
    const database = new DatabaseSync(path, { readOnly: true });
    const plan = (sql: string) =>
      database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => detail).join();
    const rest =
      "timestamp >= 1 AND timestamp < 2 AND action IN ('a', 'b') AND id < 9 ORDER BY timestamp DESC, id DESC";
    const plans = { "": "activity_by_time", "vm_id = 'u' AND ": "activity_by_vm_time" };
    for (const [first, index] of Object.entries(plans)) {
      const found = plan(`SELECT * FROM activity WHERE ${first}${rest}`);
      assert.match(
        found,
        new RegExp(`^SEARCH activity USING INDEX ${index} \\(.*timestamp>\\? AND timestamp<\\?\\)`),
      );
      // Within one moment alone: the range is not sorted
      assert.doesNotMatch(found, /USE TEMP B-TREE FOR ORDER BY/);
    }
    database.close();
  }));

Deno.test("ActivityLog.latest() is newest first, bounded, and reaches behind what is in memory for one machine", () =>
  withFolder((folder) => {
    const log = new OwnLog(folder, () => {});
    log.record(entry("old", "u"));
    for (let index = 0; index < 1100; index++) log.record(entry(`x${index}`, "other"));
    log.record(entry("new", "u"));
    assert.deepEqual(log.latest(2).map(({ action }) => action), ["new", "x1099"]);
    assert.deepEqual(log.latest(10, { vmId: "u" }).map(({ action }) => action), ["new", "old"]);
    assert.deepEqual(log.latest(1, { vmId: "u" }).map(({ action }) => action), ["new"]);
    assert.deepEqual(log.latest(10, { vmId: "nobody" }), []);
    log.close();
  }));

Deno.test("ActivityLog loses nothing of a burst while the database works", () =>
  withFolder((folder, path) => {
    const log = new OwnLog(folder, () => {});
    for (let index = 0; index < 3500; index++) log.record(entry(`x${index}`));
    log.close();
    assert.deepEqual(
      stored(path).map(({ action }) => action),
      Array.from({ length: 3500 }, (_, index) => `x${index}`),
    );
  }));

Deno.test("ActivityLog keeps entries through another program's lock, and writes them after it (fault 12)", () =>
  withFolder(async (folder, path) => {
    const log = new OwnLog(folder, () => {}, QUICK);
    const other = new DatabaseSync(path);
    other.exec("BEGIN EXCLUSIVE");
    log.record(entry("a"));
    await until("the trouble is noticed", () => log.trouble !== null);
    const started = performance.now();
    for (let index = 0; index < 50; index++) log.record(entry(`b${index}`));
    assert.ok(performance.now() - started < 150, "recording does not wait for the lock");
    assert.match(log.trouble!, /cannot be written \(.*locked.*\)/);
    other.exec("COMMIT");
    other.close();
    await until("the trouble is over", () => log.trouble === null);
    assert.equal(stored(path).length, 51);
    log.close();
  }));

Deno.test("ActivityLog works without a database, and writes everything once it can be opened", () =>
  withFolder(async (folder, path) => {
    const first = new OwnLog(folder, () => {});
    for (let index = 0; index < 5; index++) first.record(entry(`old${index}`));
    first.close();
    await Deno.rename(path, `${path}.away`);
    await Deno.mkdir(path);
    const log = new OwnLog(folder, () => {}, QUICK);
    assert.match(log.trouble!, /cannot be opened/);
    for (let index = 0; index < 3; index++) log.record(entry(`new${index}`));
    assert.deepEqual(log.latest(10).map(({ action }) => action), ["new2", "new1", "new0"]);
    await Deno.remove(path);
    await Deno.rename(`${path}.away`, path);
    await until("the trouble is over", () => log.trouble === null && stored(path).length === 8);
    assert.deepEqual(stored(path).map(({ id, action }) => [id, action]), [
      ...Array.from({ length: 5 }, (_, index) => [index + 1, `old${index}`]),
      ...Array.from({ length: 3 }, (_, index) => [index + 6, `new${index}`]),
    ]);
    assert.deepEqual(log.latest(2).map(({ id }) => id), [8, 7], "what the pages see has the same numbers");
    assert.equal(log.record(entry("last")).id, 9);
    log.close();
  }));

Deno.test("ActivityLog keeps the newest thousand while there is no database", () =>
  withFolder(async (folder, path) => {
    await Deno.mkdir(path);
    const log = new OwnLog(folder, () => {}, QUICK);
    for (let index = 0; index < 1500; index++) log.record(entry(`x${index}`));
    assert.equal(log.latest(5000).length, 1000);
    await Deno.remove(path);
    await until("they are stored", () => log.trouble === null && stored(path).length === 1000);
    assert.deepEqual([stored(path)[0]!.action, stored(path).at(-1)!.action], ["x500", "x1499"]);
    log.close();
  }));

Deno.test("ActivityLog leaves a damaged database and machines stay controllable", () =>
  withFolder(async (folder, path) => {
    await Deno.writeTextFile(path, "no database ".repeat(1000));
    const before = await Deno.readFile(path);
    const log = new OwnLog(folder, () => {}, QUICK);
    assert.match(log.trouble!, /is damaged/);
    assert.equal(log.record(entry("a")).id, 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    log.close();
    assert.deepEqual(await Deno.readFile(path), before);
  }));

Deno.test("ActivityLog tries a database again whose tables are not ours", () =>
  withFolder(async (folder, path) => {
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE other (a); PRAGMA user_version = 1");
    foreign.close();
    const log = new OwnLog(folder, () => {}, QUICK);
    assert.match(log.trouble!, /no such table/);
    log.record(entry("a"));
    // The copy of before the upgrade says that the folder is not new
    await Deno.remove(`${folder}/kvm-manager.before-upgrade-1.db`);
    await Deno.rename(path, `${path}.away`);
    await until("it is written into a new one", () => log.trouble === null);
    assert.deepEqual(stored(path).map(({ action }) => action), ["a"]);
    log.close();
  }));

Deno.test({
  name: "ActivityLog keeps entries while the disk is full, and writes them when there is room (fault 10)",
  ignore: skippedUnlessRoot(),
  fn: () =>
    withFolder(async (outer) => {
      const folder = `${outer}/small`, path = `${folder}/${DATABASE_FILE}`;
      await Deno.mkdir(folder);
      const mount = new Deno.Command("mount", {
        args: ["-t", "tmpfs", "-o", "size=512k", "tmpfs", folder],
        stderr: "null",
      });
      if (!mount.outputSync().success) return console.log("not tested: mount is not allowed here");
      try {
        const log = new OwnLog(folder, () => {}, QUICK);
        using filler = await Deno.open(`${folder}/filler`, { write: true, create: true });
        try {
          for (;;) filler.writeSync(new Uint8Array(4096));
        } catch { /* it is full now */ }
        for (let index = 0; index < 100; index++) {
          log.record({ ...entry(`x${index}`), input: "i".repeat(500) });
        }
        await until("the trouble is noticed", () => log.trouble !== null);
        assert.match(log.trouble!, /full|I\/O/);
        assert.equal(log.latest(500).length, 100);
        filler.truncateSync(0);
        await until("the trouble is over", () => log.trouble === null);
        log.close();
        assert.equal(stored(path).length, 100);
      } finally {
        new Deno.Command("umount", { args: ["-l", folder] }).outputSync();
      }
    }),
});
