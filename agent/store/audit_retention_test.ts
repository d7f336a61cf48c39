import assert from "node:assert/strict";
import { render } from "../../lib/i18n/message.ts";
import { TestClock } from "../testing.ts";
import { ActivityLog } from "./activity.ts";
import { AuditRetentionPolicy } from "./audit_retention.ts";
import { ClockDrift } from "./clock_drift.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { Store } from "./store.ts";

const DAY = 24 * 3600_000;

async function withLog(
  run: (world: {
    store: Store;
    log: ActivityLog;
    retention: AuditRetentionPolicy;
    age: (days: number, count: number) => void;
    clock: TestClock;
    ids: () => number[];
  }) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const store = new Store(folder);
  const log = new ActivityLog(store, () => {});
  const clock = new TestClock(Date.now());
  const retention = new AuditRetentionPolicy(store, log, new ClockDrift(clock, store), clock);
  let next = 1;
  const age = (days: number, count: number) => {
    store.write(() => {
      const insert = store.database!.prepare(
        "INSERT INTO activity (id, timestamp, actor, door, action, result) VALUES (?, ?, 'a', 'api', 'x', 'ok')",
      );
      for (let each = 0; each < count; each++) insert.run(next++, clock.now() - days * DAY);
    });
    // As after a restart: the log knows what is stored.
    store.close();
    store.open();
  };
  const ids = () =>
    store.database!.prepare("SELECT id FROM activity ORDER BY id").all().map(({ id }) => Number(id));
  try {
    await run({ store, log, retention, age, clock, ids });
  } finally {
    log.close();
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the audit log refuses to be changed or deleted by anybody, but for the retention's part", () =>
  withLog(async ({ store, retention, age, ids }) => {
    age(400, 3);
    age(1, 2);
    const database = store.database!;
    const refused = (sql: string) => assert.throws(() => database.exec(sql), /audit log is not/, sql);
    refused("UPDATE activity SET actor = 'eve'");
    refused("DELETE FROM activity");
    refused("DELETE FROM activity WHERE id = 1");
    refused("INSERT OR REPLACE INTO activity SELECT * FROM activity WHERE id = 1");
    assert.deepEqual(ids(), [1, 2, 3, 4, 5]);
    assert.equal(await retention.prune(), 3);
    refused("DELETE FROM activity WHERE id = 4");
  }));

Deno.test("AuditRetention.prune() removes what is too old, in parts, and each part leaves an entry", () =>
  withLog(async ({ log, retention, age, ids }) => {
    age(366, 12_000);
    age(364, 4);
    assert.equal(await retention.prune(), 12_000);
    const told = log.search({ action: "prune_audit" });
    assert.equal(told.length, 3);
    assert.match(
      render(told.at(-1)!.message),
      /^5000 entries were removed \(1 to 5000\): the log keeps 365 days/,
    );
    assert.deepEqual(ids().slice(0, 4), [12_001, 12_002, 12_003, 12_004]);
    assert.equal(await retention.prune(), 0);
    assert.equal(retention.show().stored, 4 + 3);
  }));

Deno.test("AuditRetention keeps so many entries, and what was set over a restart", () =>
  withLog(async ({ store, log, retention, age, ids }) => {
    age(31, 1500);
    retention.set({ entries: 1000 });
    assert.equal(await retention.prune(), 500);
    assert.equal(ids()[0], 501);
    const { days, entries } = new AuditRetentionPolicy(store, log, new ClockDrift(SYSTEM_CLOCK, store))
      .show();
    assert.deepEqual([days, entries], [365, 1000]);
  }));

Deno.test("AuditRetention removes no young entry because there are too many, only by its age (threat 24)", () =>
  withLog(async ({ retention, age, ids }) => {
    age(31, 200);
    age(29, 5000);
    retention.set({ entries: 1000 });
    assert.equal(await retention.prune(), 200);
    assert.equal(ids()[0], 201);
    assert.equal(await retention.prune(), 0);
    retention.set({ days: 7 });
    assert.equal(await retention.prune(), 5000, "who wants fewer days gets fewer");
  }));

Deno.test("AuditRetention removes nothing by its age after the clock was set, and says so (fault 13)", () =>
  withLog(async ({ retention, age, clock, ids }) => {
    age(1, 10);
    clock.set(clock.now() + 10 * 365 * DAY);
    assert.equal(await retention.prune(), 0);
    assert.match(retention.show().held ?? "", /clock was set/);
    await clock.advance(10 * 365 * DAY, 0);
    assert.equal(retention.show().held, undefined, "time that went by is no jump");
    assert.equal(await retention.prune(), 10);
    assert.equal(ids().length, 1);
  }));
