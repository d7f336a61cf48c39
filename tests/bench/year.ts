/**
 * A year of a host with a hundred VMs, restarts and clocks that jump: how large its metrics become, and how fast graphs of
 * it are. libvirt's answers are made up. A day is taken as finely as figures of its age are kept, so that the file at the
 * end is that of a year of readings every half minute. It takes long, so it is run by its name alone, with `--days=30` for less.
 */
import { Collector } from "../../agent/metrics/collector.ts";
import { fileBytes } from "../../agent/metrics/metric_file.ts";
import { MetricStore } from "../../agent/metrics/metric_store.ts";
import { MetricRetention, RETENTION_MIGRATIONS } from "../../agent/metrics/retention.ts";
import type { SamplerRound } from "../../agent/metrics/sampler.ts";
import { ClockDrift } from "../../agent/store/clock_drift.ts";
import { Store } from "../../agent/store/store.ts";
import { TestClock } from "../../agent/testing.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { chooseResolution, DAY_S, HOUR_S } from "../../lib/metrics/resolutions.ts";
import { testFolder } from "../testbed/folder.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { MADE_UP_NODE, madeUpFigures, madeUpVms } from "./made_up_vms.ts";
import { timed } from "./measure.ts";
import { alone } from "./row.ts";

const VMS = 100;
/** A year, or the days of `--days=…`: on a busy machine a year does not end. */
const DAYS = Number(Deno.args.find((each) => each.startsWith("--days="))?.slice("--days=".length) ?? 365);
/** Days after which it says how far it is. */
const SAID_EACH = 10;
/** Days at the end whose readings are as close as in life. */
const LIVELY = 2;
/** Limits in PERFORMANCE.md. */
const MOST_GRAPH_MS = 50, MOST_POINT_BYTES = 6;

/** Seconds from one reading to the next of a day, by how many days it is ago: as fine as is kept of it at the end. */
const intervalOf = (daysAgo: number) => daysAgo <= LIVELY ? 30 : daysAgo <= 7 ? 60 : 900;

/** Numbers that are the same in each run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Bytes that this process had the disk write. */
const writtenBytes = () => Number(/^write_bytes: (\d+)/m.exec(Deno.readTextFileSync("/proc/self/io"))![1]);

/** Events of a day besides its readings. */
const DAY_EVENTS: readonly { readonly every: number; readonly what: "restart" | "ahead" | "back" }[] = [
  { every: 7, what: "restart" },
  { every: 50, what: "ahead" },
  { every: 51, what: "back" },
];

export const year: Bench = async function* (context) {
  await using folder = await testFolder();
  const end = Date.UTC(2026, 10, 1), clock = new TestClock(end - DAYS * DAY_S * 1000), random = randomOf(7);
  const ids = Array.from({ length: VMS }, () => crypto.randomUUID()), vms = madeUpVms(ids);
  const byId = new Map(vms.map((vm) => [vm.id, vm]));
  const all = ids.map((uuid, vm) => ({ uuid, params: madeUpFigures(vm, 0), busy: 0.5 }));
  let asleep: ReadonlySet<string> = new Set();
  const round = () => {
    const records = all.filter(({ uuid }) => !asleep.has(uuid));
    return Promise.resolve({ at: clock.monotonic(), records, node: MADE_UP_NODE } as unknown as SamplerRound);
  };
  const inventory = {
    vm: (id: string) => byId.get(id),
    storage: { records: () => [] },
    counts: () => ({ active: VMS, total: VMS }),
  };
  const host = {
    id: LOCAL_HOST,
    machine: null,
    inventory: inventory as never,
    sampler: { takeAll: round },
  };

  /** Everything goes on as it would have: a guest's load wanders, and so do its counters. */
  function live(seconds: number): void {
    for (const record of all) {
      record.busy = Math.min(1, Math.max(0.01, record.busy + (random() - 0.5) / 10));
      for (const [name, value] of Object.entries(record.params)) {
        if (typeof value !== "number" || value <= 1e3) continue;
        record.params[name] = name.startsWith("balloon")
          ? Math.round(value * (1 + (random() - 0.5) / 100))
          : value + Math.round(seconds * record.busy * 1e6 * random());
      }
    }
  }

  let metrics = new MetricStore(folder.path, undefined, 0);
  let store = new Store(folder.path, undefined, [{ name: "metrics", migrations: RETENTION_MIGRATIONS }]);
  let retention = new MetricRetention(store, metrics, 30, new ClockDrift(clock, store), clock);
  let written = 0;
  try {
    for (let day = 0; day < DAYS; day++) {
      if (day % SAID_EACH === 0) {
        console.error(`day ${day}: ${(fileBytes(metrics.path) / 1e6).toFixed(1)} MB`);
      }
      if (day === DAYS - LIVELY) written = writtenBytes();
      const interval = intervalOf(DAYS - day);
      let collector = new Collector(host, metrics, interval, clock);
      for (const { what } of DAY_EVENTS.filter(({ every }) => day > 0 && day % every === 0)) {
        if (what === "ahead") clock.set(clock.now() + 2 * HOUR_S * 1000);
        if (what === "back") clock.set(clock.now() - 2 * HOUR_S * 1000);
        if (what !== "restart") continue;
        await metrics.close();
        store.close();
        metrics = new MetricStore(folder.path, undefined, 0);
        store = new Store(folder.path, undefined, [{ name: "metrics", migrations: RETENTION_MIGRATIONS }]);
        retention = new MetricRetention(store, metrics, 30, new ClockDrift(clock, store), clock);
        collector = new Collector(host, metrics, interval, clock);
      }
      // A guest that boots counts from the beginning.
      const { params } = all[day % VMS]!;
      Object.assign(params, madeUpFigures(day % VMS, 0));
      for (let second = 0; second < DAY_S; second += interval) {
        // A fifth of them is off at night.
        asleep = new Set(second < 6 * HOUR_S ? ids.slice(0, VMS / 5) : []);
        live(interval);
        await clock.advance(interval * 1000);
        await collector.tick();
        if (second % HOUR_S !== 0) continue;
        await metrics.pack(Math.floor(clock.now() / 1000));
        await retention.cleanUpWhenDue();
      }
    }
    if (metrics.trouble !== null) throw new Error(metrics.trouble);
    written = writtenBytes() - written;
    const figures = await metrics.ask("figures", {});
    const points = figures.resolutions.reduce((sum, each) => sum + each.points, 0);
    const rolledUp = figures.resolutions.filter(({ resolution }) => resolution !== "raw");
    const rolledBytes = rolledUp.reduce((sum, { bytes }) => sum + bytes, 0);
    const what = `${DAYS} days of ${VMS} VMs (answers made up)`, to = Math.floor(clock.now() / 1000);
    yield* [
      alone({ what: `${what}: its file`, ours: [figures.bytes / 1e6], unit: "MB" }),
      alone({ what: `${what}: a point of all`, ours: [figures.bytes / points], unit: "B" }),
      alone({
        what: `${what}: a point that was rolled up`,
        ours: [rolledBytes / rolledUp.reduce((sum, each) => sum + each.points, 0)],
        unit: "B",
        aim: { most: MOST_POINT_BYTES },
      }),
      alone({
        what: `${what}: written to disk in one of its last days`,
        ours: [written / LIVELY / 1e6],
        unit: "MB",
      }),
    ];
    for (const days of [1, 7, 30, 365]) {
      const seconds = days * DAY_S;
      const { name: resolution } = chooseResolution(
        { seconds, age: seconds },
        30,
        (each) => retention.keptDays(each),
      );
      const times: number[] = [];
      for (let each = 0; each < roundsOf(context, 20); each++) {
        const subject = ids[Math.floor(random() * VMS)]!;
        times.push(
          await timed(async () => {
            const range = { from: to - seconds, to, resolution, interval: 30 };
            const { times } = await metrics.ask("history", {
              host: LOCAL_HOST,
              subject,
              names: ["cpu_usage"],
              ...range,
            });
            if (times.length === 0) throw new Error(`nothing is there of ${days} days`);
          }),
        );
      }
      times.sort((a, b) => a - b);
      yield alone({
        what: `${what}: the slowest graph of ${days} days (${resolution})`,
        ours: [times.at(-1)!],
        aim: { most: MOST_GRAPH_MS },
      });
    }
  } finally {
    await metrics.close();
    store.close();
  }
};
