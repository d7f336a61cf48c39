import assert from "node:assert/strict";
import fc from "fast-check";
import type { Api } from "../../lib/contract/api.ts";
import type { ScheduleRun, VM, VmState } from "../../lib/contract/mod.ts";
import { render, rendered } from "../../lib/i18n/message.ts";
import { nextRun } from "../../lib/schedules/next_run.ts";
import type { Timing } from "../../lib/schedules/timing.ts";
import { Jobs } from "../jobs/jobs.ts";
import { setLogLevel } from "../log.ts";
import { Periodic } from "../periodic.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { Store } from "../store/store.ts";
import { localPrincipal, TestClock } from "../testing.ts";
import { SCHEDULE_MIGRATIONS, ScheduleRecords, type StoredSchedule } from "./records.ts";
import { Scheduler } from "./scheduler.ts";

setLogLevel("error");
const HOUR = 3600_000, DAY = 24 * HOUR, START = Date.UTC(2026, 0, 1, 0, 0, 30);

/** One VM that obeys, and what was asked of it; it is no libvirt, and libvirt is not what is tested here. */
class World {
  readonly asked: { readonly command: string; readonly at: number }[] = [];
  state: VmState = "running";
  /** Nothing that is asked for ends until then. */
  gate: Promise<void> = Promise.resolve();
  obeys = true;
  tags = ["lab"];
  /** Whether who the schedule runs as sees it. */
  isSeen = true;
  readonly recorded: ActivityEntry[] = [];
  isReady = true;

  constructor(readonly clock: TestClock) {}

  get vms(): VM[] {
    return [{ id: "vm-1", name: "web", tags: this.tags, state: this.state } as unknown as VM];
  }

  get api(): Api {
    const ask = (command: string, after: VmState | null) => async () => {
      this.asked.push({ command, at: this.clock.now() });
      await this.gate;
      if (after !== null) this.state = after;
      return null;
    };
    return {
      getVms: () => Promise.resolve(this.isSeen ? this.vms : []),
      startVm: ask("start", "running"),
      stopVm: ask("stop", this.obeys ? "stopped" : null),
      rebootVm: ask("reboot", null),
      forceStopVm: ask("force", "stopped"),
    } as unknown as Api;
  }
}

/** A scheduler with its database, as one process has them. It can die, and another go on. */
class Process {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly records: ScheduleRecords;
  readonly scheduler: Scheduler;
  readonly #periodic: Periodic;

  constructor(
    dataDir: string,
    readonly world: World,
    lookMs = HOUR,
    owner: () => string | undefined = () => undefined,
  ) {
    const { clock } = world;
    this.store = new Store(dataDir, undefined, [{ name: "schedules", migrations: SCHEDULE_MIGRATIONS }]);
    this.jobs = new Jobs(this.store, { clock });
    this.records = new ScheduleRecords(this.store);
    this.scheduler = new Scheduler(this.records, {
      clock,
      lookMs,
      jobs: this.jobs,
      apiFor: () => world.api,
      ownerOf: () => owner() ?? localPrincipal("page"),
      stateOf: () => world.state,
      isReady: () => world.isReady,
      nameOf: (vmId) => vmId === "vm-1" ? "web" : vmId === "gone" ? "mail" : undefined,
      vms: () => world.vms,
      record: (entry) => void world.recorded.push(entry),
    });
    this.#periodic = new Periodic([{
      name: "schedules",
      every: () => this.scheduler.wait,
      run: (signal) => this.scheduler.tick(signal),
    }], clock);
    this.#periodic.start();
  }

  /** As `kill -9`: nothing is written any more. */
  async die(): Promise<void> {
    await this.#periodic.stop(0);
    this.store.close();
    // What still runs would open it again.
    this.store.open = () => undefined;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#periodic.stop(1000), this.jobs.stop(1000)]);
    await this.scheduler.stop();
    this.store.close();
  }

  runs(id: string): ScheduleRun[] {
    return rendered<ScheduleRun[]>(this.records.history(id, 100));
  }
}

const schedule = (timing: Timing, more: Partial<StoredSchedule> = {}): StoredSchedule => ({
  id: "one",
  name: "nightly",
  enabled: true,
  action: "reboot",
  deadlineSeconds: 60,
  force: false,
  keep: 7,
  missed: "skip",
  targets: { vmIds: [], tags: ["lab"], groups: [] },
  timing,
  owner: { kind: "host", name: "root" },
  createdAt: START,
  handled: START,
  ...more,
});
const daily = (timeZone: string, time = "02:30"): Timing => ({ frequency: "daily", time, timeZone });

/** Every time it is due in a span, by the library alone. */
function slotsIn(timing: Timing, from: number, to: number): number[] {
  const slots: number[] = [];
  for (let at = nextRun(timing, from); at !== null && at <= to; at = nextRun(timing, at)) slots.push(at);
  return slots;
}

/** Runs a test in a folder in memory, where there is one: a year of syncs to a disk takes minutes, and proves nothing. */
async function inFolder(test: (dataDir: string) => Promise<void>): Promise<void> {
  const memory = await Deno.stat("/dev/shm").then(({ isDirectory }) => isDirectory, () => false);
  const dataDir = await Deno.makeTempDir(memory ? { dir: "/dev/shm" } : {});
  try {
    await test(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Writes as on a disk that is full: statements are carried out, and undone at the end. */
function neverLasts({ database }: Store, run: () => void): false {
  database!.exec("BEGIN");
  run();
  database!.exec("ROLLBACK");
  return false;
}

/** Lets what was begun end: it writes, and waits for nothing. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

for (const timeZone of ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]) {
  Deno.test(`Scheduler runs each time of a year once, over restarts (${timeZone})`, () =>
    inFolder(async (dataDir) => {
      const world = new World(new TestClock(START));
      const timings = [daily(timeZone), { frequency: "cron", cron: "*/30 1-3 * * 0", timeZone }] as const;
      let process = new Process(dataDir, world);
      for (const [index, timing] of timings.entries()) {
        process.records.put(schedule(timing, { id: `of-${index}`, name: `of ${index}` }));
      }
      // A restart every few days, at whatever time of day; now and then within the minute of a run.
      for (let day = 0; day < 365; day += 5) {
        await world.clock.advance(5 * DAY + (day % 7) * 1000);
        await settle();
        await (day % 2 === 0 ? process.stop() : process.die());
        process = new Process(dataDir, world);
      }
      await settle();
      const asked = world.asked.map(({ at }) => at).sort((a, b) => a - b);
      const due = timings.flatMap((timing) => slotsIn(timing, START, world.clock.now())).sort((a, b) =>
        a - b
      );
      assert.equal(asked.length, due.length);
      // At its time: a restart within the minute may make it a moment later.
      asked.forEach((at, index) => assert.ok(at - due[index]! >= 0 && at - due[index]! <= 60_000));
      await process.stop();
    }));
}

Deno.test("Scheduler runs no time twice, whatever the clock does, and never one that has not come", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
      fc.constantFrom<"skip" | "run-once">("skip", "run-once"),
      fc.array(
        fc.oneof(
          fc.record({ what: fc.constant("pass" as const), ms: fc.integer({ min: 1000, max: 3 * DAY }) }),
          fc.record({ what: fc.constant("set" as const), ms: fc.integer({ min: -3 * DAY, max: 3 * DAY }) }),
          fc.record({ what: fc.constant("restart" as const), ms: fc.integer({ min: 0, max: 2 * DAY }) }),
        ),
        { minLength: 3, maxLength: 12 },
      ),
      (timeZone, missed, steps) =>
        inFolder(async (dataDir) => {
          const world = new World(new TestClock(START + 100 * DAY));
          let process = new Process(dataDir, world);
          process.records.put(schedule(daily(timeZone), { missed, handled: world.clock.now() }));
          for (const { what, ms } of steps) {
            if (what === "pass") await world.clock.advance(ms);
            if (what === "set") world.clock.set(world.clock.now() + ms);
            if (what === "restart") {
              await process.die();
              world.clock.reboot(ms);
              process = new Process(dataDir, world);
            }
            await settle();
          }
          const all = process.runs("one");
          // A late run of a clock that was ahead gives its time up to the one that comes: see ScheduleRecords.begin()
          const runs = all.filter(({ slot }) => slot !== null);
          assert.equal(new Set(runs.map(({ slot }) => slot)).size, runs.length, "a time stands there twice");
          for (const { slot, startedAt, state } of runs) {
            assert.ok(startedAt >= slot!, "it ran before its time");
            assert.equal(nextRun(daily(timeZone), slot! - 1), slot, "it was never due then");
            if (missed === "skip" && state === "done") assert.ok(startedAt - slot! <= 60_000);
          }
          assert.ok(world.asked.length <= all.length);
          await process.stop();
        }),
    ),
    { numRuns: 25 },
  ));

Deno.test("Scheduler makes up for missed runs by one, or skips them and says so", async (t) => {
  for (const [missed, expected] of [["skip", ["skipped"]], ["run-once", ["done"]]] as const) {
    await t.step(missed, () =>
      inFolder(async (dataDir) => {
        const world = new World(new TestClock(START));
        const before = new Process(dataDir, world);
        before.records.put(schedule(daily("UTC"), { missed }));
        await before.stop();
        world.clock.reboot(10 * DAY);
        const after = new Process(dataDir, world);
        await world.clock.advance(HOUR);
        await settle();
        const runs = after.runs("one");
        assert.deepEqual(runs.map(({ state }) => state), expected);
        assert.equal(runs[0]!.slot, Date.UTC(2026, 0, 1, 2, 30));
        assert.equal(world.asked.length, missed === "skip" ? 0 : 1);
        await world.clock.advance(DAY);
        await settle();
        assert.equal(after.runs("one").length, 2, "the next one runs as ever");
        await after.stop();
      }));
  }
});

Deno.test("Scheduler goes on at once when a clock that was wrong by years is set right", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START + 365 * DAY));
    const process = new Process(dataDir, world);
    process.records.put(schedule(daily("UTC"), { handled: world.clock.now() }));
    await world.clock.advance(DAY);
    await settle();
    assert.equal(world.asked.length, 1);
    world.clock.set(START);
    await world.clock.advance(2 * DAY);
    await settle();
    assert.equal(world.asked.length, 3);
    await process.stop();
  }));

Deno.test("Scheduler loses no time to one start with the clock ahead", async (t) => {
  for (const ahead of [5 * HOUR, 2 * DAY, 365 * DAY]) {
    for (const missed of ["skip", "run-once"] as const) {
      await t.step(`${ahead / HOUR} hours, ${missed}`, () =>
        inFolder(async (dataDir) => {
          const world = new World(new TestClock(START));
          const before = new Process(dataDir, world);
          before.records.put(schedule(daily("UTC"), { missed }));
          await before.stop();
          world.clock.set(START + ahead);
          const wrong = new Process(dataDir, world);
          await world.clock.advance(60_000);
          await settle();
          await wrong.stop();
          world.clock.set(START + 120_000);
          const asked = world.asked.length;
          const after = new Process(dataDir, world);
          await world.clock.advance(2 * DAY);
          await settle();
          assert.equal(world.asked.length - asked, 2, "both days that come are run");
          const slots = after.runs("one").map(({ slot }) => slot).filter((slot) => slot !== null);
          assert.equal(new Set(slots).size, slots.length, "each time has one run");
          await after.stop();
        }));
    }
  }
});

Deno.test("Scheduler runs no day again that a clock set back by days comes to once more", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    const process = new Process(dataDir, world);
    process.records.put(schedule(daily("UTC")));
    await world.clock.advance(5 * DAY);
    await settle();
    assert.equal(world.asked.length, 5);
    world.clock.set(START + 2 * DAY);
    await world.clock.advance(3 * DAY);
    await settle();
    assert.equal(world.asked.length, 5, "the same three days");
    await world.clock.advance(DAY);
    await settle();
    assert.equal(world.asked.length, 6);
    await process.stop();
  }));

Deno.test("Scheduler never runs one schedule twice at a time, and says once what was left out", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START)), open = Promise.withResolvers<void>();
    world.gate = open.promise;
    const process = new Process(dataDir, world);
    process.records.put(schedule({ frequency: "cron", cron: "* * * * *", timeZone: "UTC" }));
    await world.clock.advance(10 * 60_000);
    assert.equal(world.asked.length, 1);
    const asked = process.scheduler.runNow(process.records.get("one")!, localPrincipal("page"));
    assert.equal(
      asked.id,
      process.runs("one").find(({ state }) => state === "running")?.id,
      "it is that run",
    );
    assert.deepEqual(process.runs("one").map(({ state }) => state), ["skipped", "running"]);
    open.resolve();
    await settle();
    await world.clock.advance(60_000);
    await settle();
    assert.deepEqual(process.runs("one").map(({ state }) => state), ["done", "skipped", "done"]);
    await process.stop();
  }));

Deno.test("Scheduler leaves no run behind as if it went on: stopped and killed in the middle", async (t) => {
  for (const how of ["stop", "die"] as const) {
    await t.step(how, () =>
      inFolder(async (dataDir) => {
        const world = new World(new TestClock(START)), open = Promise.withResolvers<void>();
        world.gate = open.promise;
        const before = new Process(dataDir, world);
        before.records.put(schedule(daily("UTC")));
        await world.clock.advance(3 * HOUR);
        assert.equal(before.runs("one")[0]!.state, "running");
        if (how === "stop") setTimeout(open.resolve, 100);
        await before[how]();
        open.resolve();
        await settle();
        const after = new Process(dataDir, world);
        await world.clock.advance(HOUR);
        const [run, ...others] = after.runs("one");
        assert.deepEqual(others, [], "the time was not run again");
        assert.equal(run!.state, "interrupted");
        assert.notEqual(run!.endedAt, null);
        assert.equal(after.records.lastRun("one")!.state, "interrupted");
        assert.deepEqual(
          after.jobs.list(10).map(({ state }) => state),
          [how === "stop" ? "cancelled" : "interrupted"],
        );
        await after.stop();
      }));
  }
});

Deno.test("Scheduler forces off what ignores the shutdown, if that is wished, and waits no longer than told", async (t) => {
  for (const force of [true, false]) {
    await t.step(String(force), () =>
      inFolder(async (dataDir) => {
        const world = new World(new TestClock(START));
        world.obeys = false;
        const process = new Process(dataDir, world);
        process.records.put(schedule(daily("UTC", "01:00"), { action: "stop", force, deadlineSeconds: 90 }));
        await world.clock.advance(HOUR + 30_000);
        await settle();
        assert.deepEqual(world.asked.map(({ command }) => command), ["stop"]);
        await world.clock.advance(60_000);
        await settle();
        const [run] = process.runs("one");
        assert.deepEqual(world.asked.map(({ command }) => command), force ? ["stop", "force"] : ["stop"]);
        assert.equal(run!.state, force ? "done" : "failed");
        assert.equal(run!.results[0]!.outcome, force ? "forced" : "failed");
        if (!force) assert.match(run!.message!, /web: It did not shut down within 90 seconds/);
        await process.stop();
      }));
  }
});

Deno.test("Scheduler waits for a libvirt that is away, two minutes at most", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    world.isReady = false;
    const process = new Process(dataDir, world);
    process.records.put(schedule(daily("UTC", "01:00")));
    await world.clock.advance(HOUR);
    await settle();
    assert.deepEqual([world.asked.length, process.runs("one")[0]!.state], [0, "running"]);
    world.isReady = true;
    await world.clock.advance(1000);
    await settle();
    assert.deepEqual([world.asked.length, process.runs("one")[0]!.state], [1, "done"]);
    world.isReady = false;
    await world.clock.advance(DAY - 1000);
    await settle();
    assert.equal(world.asked.length, 1);
    await world.clock.advance(121_000);
    await settle();
    assert.equal(world.asked.length, 2, "what cannot be done is refused by the command itself");
    await process.stop();
  }));

Deno.test("Scheduler says so when no VM was meant", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    const process = new Process(dataDir, world);
    process.records.put(schedule(daily("UTC"), { targets: { vmIds: [], tags: ["other"], groups: [] } }));
    await world.clock.advance(DAY);
    await settle();
    const [run] = process.runs("one");
    assert.deepEqual([run!.state, world.asked.length], ["done", 0]);
    assert.match(run!.message!, /No VM was meant/);
    await process.stop();
  }));

Deno.test("Scheduler does nothing as somebody who is gone, and says why", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    const process = new Process(dataDir, world, HOUR, () => "that account is disabled");
    process.records.put(schedule(daily("UTC")));
    await world.clock.advance(DAY);
    await settle();
    assert.deepEqual(world.asked, []);
    const [run] = process.runs("one");
    assert.equal(run!.state, "failed");
    assert.match(run!.message!, /It runs as root, and that account is disabled/);
    assert.equal(process.jobs.list(1)[0]!.error!.code, "ScheduleOwnerLost");
    await process.stop();
  }));

Deno.test("Scheduler runs nothing that it cannot write down", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    const process = new Process(dataDir, world);
    process.records.put(schedule(daily("UTC"), { missed: "run-once" }));
    const write = process.store.write.bind(process.store);
    process.store.write = () => false;
    await world.clock.advance(DAY);
    await settle();
    assert.deepEqual(world.asked, []);
    process.store.write = write;
    await world.clock.advance(HOUR);
    await settle();
    assert.equal(world.asked.length, 1, "what could not run was missed, and is made up for once");
    await process.stop();
  }));

Deno.test("Scheduler tells how a run ended on a full store, and writes it once there is room", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START)), open = Promise.withResolvers<void>();
    world.gate = open.promise;
    const before = new Process(dataDir, world);
    before.records.put(schedule(daily("UTC")));
    await world.clock.advance(3 * HOUR);
    const write = before.store.write.bind(before.store);
    before.store.write = (run) => neverLasts(before.store, run);
    open.resolve();
    await settle();
    assert.equal(before.records.lastRun("one")!.state, "done");
    assert.equal(before.runs("one")[0]!.state, "done", "the row is that of a run under way");
    assert.deepEqual(before.records.unfinished(), []);
    before.store.write = write;
    before.store.check();
    await before.die();
    const after = new Process(dataDir, world);
    await settle();
    const runs = after.runs("one");
    assert.deepEqual(runs.map(({ state, results }) => [state, results[0]?.outcome]), [["done", "done"]]);
    assert.deepEqual(after.jobs.list(10).map(({ state }) => state), ["done"]);
    await after.stop();
  }));

Deno.test("ScheduleRecords keep a bounded history, the newest first", () =>
  inFolder(async (dataDir) => {
    const world = new World(new TestClock(START));
    const process = new Process(dataDir, world);
    process.records.put(schedule({ frequency: "cron", cron: "0 * * * *", timeZone: "UTC" }));
    await world.clock.advance(6 * DAY);
    await settle();
    assert.equal(world.asked.length, 144);
    const runs = process.runs("one");
    assert.equal(runs.length, 100);
    assert.ok(runs[0]!.slot! > runs[99]!.slot!);
    await process.stop();
  }));

Deno.test("Scheduler says which VMs a run left out that the one before had, and why one failed", async (t) => {
  const day = async (world: World) => {
    await world.clock.advance(DAY);
    await settle();
  };
  /** The steps to another day, and what its run said. */
  const CASES: readonly [name: string, change: (world: World) => void, back: (world: World) => void][] = [
    ["the tag is gone", (world) => world.tags = [], (world) => world.tags = ["lab"]],
    ["who it runs as sees it no more", (world) => world.isSeen = false, (world) => world.isSeen = true],
  ];
  for (const [name, change, back] of CASES) {
    await t.step(name, () =>
      inFolder(async (dataDir) => {
        const world = new World(new TestClock(START)), process = new Process(dataDir, world);
        process.records.put(schedule(daily("UTC")));
        await day(world);
        assert.equal(process.runs("one")[0]!.message, null);
        change(world);
        await day(world);
        const left = "It left out web, which it had before";
        assert.equal(
          process.runs("one")[0]!.message,
          `No VM was meant: none has its tags or is in its groups. ${left}`,
        );
        await day(world);
        assert.deepEqual(world.recorded.map(({ action }) => action), ["schedule-left-out"], "once");
        assert.deepEqual(process.records.get("one")!.leftOut, ["vm-1"]);
        back(world);
        await day(world);
        assert.equal(process.runs("one")[0]!.message, null);
        assert.deepEqual(process.records.get("one")!.leftOut, []);
        await process.stop();
      }));
  }
  await t.step("its owner is gone", () =>
    inFolder(async (dataDir) => {
      const world = new World(new TestClock(START));
      const process = new Process(dataDir, world, HOUR, () => "that account is disabled");
      process.records.put(schedule(daily("UTC")));
      await day(world);
      const [told] = world.recorded;
      assert.equal(told?.action, "schedule-failed");
      assert.match(render(told?.message), /^Schedule “nightly”: .*root.*that account is disabled/);
      await process.stop();
    }));
  await t.step("a VM that is gone has its last name", () =>
    inFolder(async (dataDir) => {
      const world = new World(new TestClock(START)), process = new Process(dataDir, world);
      process.records.put(
        schedule(daily("UTC"), { targets: { vmIds: ["gone", "never"], tags: [], groups: [] } }),
      );
      await day(world);
      const [run] = process.runs("one");
      assert.deepEqual(run!.results.map(({ name }) => name), ["mail", "never"]);
      assert.match(run!.message ?? "", /mail: It is gone/);
      await process.stop();
    }));
});
