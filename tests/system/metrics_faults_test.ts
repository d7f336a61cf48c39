/** The store of metrics on bad days: a full disk, a damaged file, a clock that is set. It is asked through its worker. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { TestClock } from "../../agent/testing.ts";
import { setLogLevel } from "../../agent/log.ts";
import { METRICS_FILE } from "../../agent/metrics/metric_file.ts";
import { MetricStore } from "../../agent/metrics/metric_store.ts";
import { MetricRetention, RETENTION_MIGRATIONS } from "../../agent/metrics/retention.ts";
import { DATABASE_FILE } from "../../agent/store/database.ts";
import { ClockDrift } from "../../agent/store/clock_drift.ts";
import { Store } from "../../agent/store/store.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { appHere } from "../testbed/app_here.ts";
import { run } from "../testbed/process.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const isRoot = Deno.uid() === 0;
setLogLevel("error");

const HOUR = 1_700_000_400 - 1_700_000_400 % 3600;
const KEY = { host: "local", subject: "", name: "cpu_usage", label: "" };

/** A store with some series, that tells its troubles. */
function testStore(dataDir: string, reserve = 0, series = 500) {
  const told: string[] = [];
  const store = new MetricStore(dataDir, (trouble) => told.push(trouble), reserve);
  const keys = Array.from({ length: series }, (_, index) => ({ ...KEY, label: String(index) }));
  let ids = new Uint32Array(), generation = -1;
  return {
    store,
    told,
    async write(time: number): Promise<void> {
      if (generation !== store.generation) ids = Uint32Array.from(await store.ask("register", { keys }));
      generation = store.generation;
      const figures = Float32Array.from(ids, (id) => (id * 7919 + time) % 10_007);
      await store.ask("write", { time, ids, figures, generation });
    },
    /** How many series have something then. */
    async known(time: number): Promise<number> {
      const request = {
        host: "local",
        subject: "",
        from: time,
        to: time + 30,
        resolution: "raw",
        interval: 30,
      } as const;
      return (await store.ask("history", request)).series.length;
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

const refusal = async (call: Promise<unknown>): Promise<string> => {
  const error = await call.then((value) => new Error(`gave ${value}`), (thrown) => thrown);
  assert.ok(error instanceof ContractError, String(error));
  assert.equal(error.code, "MetricsUnavailable");
  return error.message;
};

Deno.test({
  name:
    "metrics on a full file system stop with a message, keep what they have, and go on when there is room",
  ignore: !isRoot,
  fn: async () => {
    await using folder = await testFolder();
    await run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder.path]);
    await using _mount = { [Symbol.asyncDispose]: async () => void await run(["umount", "-l", folder.path]) };
    await using test = testStore(folder.path);
    let time = HOUR;
    await test.write(time);
    const filler = join(folder.path, "filler");
    const file = await Deno.open(filler, { write: true, create: true });
    await assert.rejects(async () => {
      for (;;) await file.write(new Uint8Array(64 << 10)); // until nothing is left
    }, /No space|os error 28/);
    file.close();
    let reason = "";
    for (let tick = 0; tick < 100 && reason === ""; tick++) {
      time += 30;
      reason = await test.write(time).then(() => "", (error) => String(error.message));
    }
    assert.match(
      reason,
      /^Metrics cannot be read: .*metrics\.db cannot be written \(.*full.*\)\. Make room on its file system$/i,
    );
    assert.equal(test.told.length, 1);
    assert.match(test.told[0]!, /^Metrics are not stored: /);
    assert.notEqual(test.store.trouble, null);
    await refusal(test.write(time));
    assert.equal(test.told.length, 1, "it is said once");
    assert.equal(await test.known(HOUR), 500, "what was written can be read meanwhile");
    await Deno.remove(filler);
    await test.write(time);
    assert.equal(test.store.trouble, null);
    assert.equal(await test.known(time), 500);
  },
});

Deno.test("metrics leave the last of a file system to others", async () => {
  await using folder = await testFolder();
  await using test = testStore(folder.path, 2 ** 52);
  assert.match(
    await refusal(test.write(HOUR)),
    /MiB are free in .*, which metrics leave to others\. Make room/,
  );
  assert.equal(test.told.length, 1);
});

/** Damages of a file on a bad disk. */
const DAMAGES: readonly [how: string, damage: (path: string) => Promise<void>][] = [
  [
    "no database at all",
    (path) => Deno.writeTextFile(path, "this is no database, and never was one ".repeat(200)),
  ],
  ["pages overwritten", async (path) => {
    using file = await Deno.open(path, { write: true });
    for (let page = 1; page < 40; page++) {
      await file.seek(page * 4096, Deno.SeekMode.Start);
      await file.write(crypto.getRandomValues(new Uint8Array(2048)));
    }
  }],
  ["cut off", (path) => Deno.truncate(path, 5000)],
];

Deno.test("a damaged file of metrics is moved aside, said, and begun again; the configuration is not touched", async (t) => {
  for (const [how, damage] of DAMAGES) {
    await t.step(how, async () => {
      await using folder = await testFolder();
      const path = join(folder.path, METRICS_FILE), configuration = join(folder.path, DATABASE_FILE);
      new Store(folder.path).open();
      const before = await Deno.readFile(configuration);
      {
        await using test = testStore(folder.path);
        for (let tick = 0; tick < 40; tick++) await test.write(HOUR + tick * 30);
      }
      await damage(path);
      await using test = testStore(folder.path);
      await test.write(HOUR + 3600);
      assert.match(
        test.told.join(),
        /^The metrics' file was damaged\. It was moved to .*metrics\.db\.damaged, and a new one begun\.$/,
      );
      assert.ok((await Deno.stat(`${path}.damaged`)).size > 0);
      assert.equal(await test.known(HOUR), 0);
      assert.equal(await test.known(HOUR + 3600), 500);
      assert.deepEqual(await Deno.readFile(configuration), before);
    });
  }
});

Deno.test("a file of metrics that is damaged while it is open is moved aside, said, and begun again, too", async (t) => {
  for (const [how, damage] of DAMAGES) {
    await t.step(how, async () => {
      await using folder = await testFolder();
      const path = join(folder.path, METRICS_FILE), configuration = join(folder.path, DATABASE_FILE);
      const kept = new Store(folder.path);
      kept.open();
      kept.close();
      const before = await Deno.readFile(configuration);
      // More than SQLite keeps in memory: what it has there, it goes on with
      await using test = testStore(folder.path, 0, 3000);
      for (let tick = 0; tick < 240; tick++) await test.write(HOUR + tick * 30);
      await test.store.pack(HOUR + 2 * 3600);
      while (await test.store.ask("shrink", {})) { /* until the file has all, and its log nothing */ }
      await damage(path);
      // As the collector goes on: what is met while reading or writing ends in a new file, without a restart
      let time = HOUR + 2 * 3600;
      for (let tick = 0; tick < 20 && test.told.length === 0; tick++) {
        await test.known(HOUR).catch((error) => assert.equal(error.code, "MetricsUnavailable"));
        await test.write(time += 30).catch((error) => assert.equal(error.code, "MetricsUnavailable"));
      }
      await test.write(time += 30).catch((error) => assert.equal(error.code, "MetricsUnavailable"));
      await test.write(time += 30);
      assert.match(
        test.told.join("\n"),
        /The metrics' file was damaged\. It was moved to .*metrics\.db\.damaged/,
      );
      assert.ok((await Deno.stat(`${path}.damaged`)).size > 0);
      assert.equal(test.store.trouble, null);
      assert.equal(await test.known(time), 3000);
      assert.ok(
        Buffer.from(before).equals(await Deno.readFile(configuration)),
        "the configuration is as it was",
      );
    });
  }
});

Deno.test("the daily clean-up: once a day at its hour, made up for when missed, not after the clock was set", async () => {
  await using folder = await testFolder();
  await using test = testStore(folder.path, 0, 10);
  const tables = [{ name: "metrics", migrations: RETENTION_MIGRATIONS }];
  const store = new Store(folder.path, () => {}, tables);
  using _closing = { [Symbol.dispose]: () => store.close() };
  const clock = new TestClock(new Date(2026, 2, 1, 12, 0).getTime());
  const pass = (hours: number) => clock.advance(hours * 3600_000);
  const retention = new MetricRetention(store, test.store, 30, new ClockDrift(clock, store), clock);
  retention.set({ cleanupHour: 3 });
  // A simulated year: the host's clock runs on in quarters of an hour, daylight saving and all
  const runs: string[] = [];
  for (let quarter = 0; quarter < 366 * 96; quarter++) {
    await pass(0.25);
    if (!retention.isDue) continue;
    await retention.cleanUp();
    runs.push(new Date(clock.now()).toDateString());
  }
  assert.equal(new Set(runs).size, runs.length, "never twice a day");
  assert.ok(runs.length >= 365 && runs.length <= 367, String(runs.length));
  await pass(72); // it was off, or suspended
  assert.ok(retention.isDue);
  await retention.cleanUp();
  assert.ok(!retention.isDue);
  clock.set(clock.now() + 9 * 365 * 86_400_000); // the clock jumps; the time that went by does not
  assert.ok(!retention.isDue);
  assert.match((await retention.show()).held!, /clock was set/);
  const again = new MetricRetention(store, test.store, 30, new ClockDrift(clock, store), clock);
  assert.equal((await again.show()).lastCleanup, (await retention.show()).lastCleanup, "it is kept");
  retention.set({ enabled: false });
  await pass(48);
  assert.ok(!retention.isDue);
});

Deno.test("a policy keeps no resolution longer than everything", async () => {
  await using folder = await testFolder();
  await using test = testStore(folder.path, 0, 10);
  const store = new Store(folder.path, () => {}, [{ name: "metrics", migrations: RETENTION_MIGRATIONS }]);
  using _closing = { [Symbol.dispose]: () => store.close() };
  const wall = (HOUR + 100 * 86_400) * 1000;
  const clock = new TestClock(wall);
  const retention = new MetricRetention(store, test.store, 30, new ClockDrift(clock, store), clock);
  for (const daysAgo of [90, 40, 3, 1]) await test.write(wall / 1000 - daysAgo * 86_400);
  await test.store.pack(wall / 1000);
  const points = async () => (await retention.show()).figures!.resolutions.map((each) => each.points);
  assert.deepEqual(await points(), [40, 40, 40, 40]);
  await retention.cleanUp();
  assert.deepEqual((await points())[0], 10, "raw figures of the last two days");
  retention.set({ days: 1 });
  assert.deepEqual(["raw", "1m", "15m", "1h"].map((each) => retention.keptDays(each as "raw")), [1, 1, 1, 1]);
  assert.equal((await retention.removeOlder(30)).removedPoints > 0, true);
});

Deno.test({
  name: "VMs stay controllable while metrics cannot be stored, and the host says so",
  ignore: await requirement("guest") !== null,
  fn: async () => {
    await using vm = await testMachine({ purpose: "metrics-full", guest: false });
    await using here = await appHere();
    const { app, api, dataDir } = here;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vm.uuid) !== undefined));
    const path = join(dataDir, METRICS_FILE);
    await until("nothing can be opened there, also not by a reading that came in between", async () => {
      await app.metrics.ask("close", {}); // it is opened again with the next call
      for (const end of ["", "-wal", "-shm"]) {
        await Deno.remove(path + end).catch((error) => assert.ok(error instanceof Deno.errors.NotFound));
      }
      try {
        await Deno.mkdir(path);
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) return false; // a reading has just made the file
        throw error;
      }
      return await app.metrics.ask("register", { keys: [KEY] }).then(() => false, () => true);
    });
    await refusal(app.metrics.ask("register", { keys: [KEY] }));
    assert.match((await api.getHostInfo()).attention.join(), /Metrics are not stored: /);
    assert.equal((await api.getRetentionPolicy()).figures, null);
    await api.startVm({ vmId: vm.uuid });
    assert.equal(await vm.state(), "running");
    await api.forceStopVm({ vmId: vm.uuid });
    await Deno.remove(path);
    await app.metrics.ask("register", { keys: [KEY] });
    assert.deepEqual((await api.getHostInfo()).attention.filter((each) => each.startsWith("Metrics")), []);
  },
});
