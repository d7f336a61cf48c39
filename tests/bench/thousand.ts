/**
 * A thousand VMs whose figures are taken every 10 seconds: what the collector, the store and the rules of alerts cost.
 * libvirt's answers are made up, in its form: no host here runs so many VMs. What libvirt's own call costs is in `metrics`.
 */
import { AlertEngine } from "../../agent/alerts/engine.ts";
import { Outbox } from "../../agent/alerts/outbox.ts";
import { ALERT_MIGRATIONS, AlertRecords } from "../../agent/alerts/records.ts";
import { AlertWatcher } from "../../agent/alerts/watcher.ts";
import { Collector } from "../../agent/metrics/collector.ts";
import { FigureFeed } from "../../agent/metrics/figure_feed.ts";
import { MetricStore } from "../../agent/metrics/metric_store.ts";
import type { SamplerRound } from "../../agent/metrics/sampler.ts";
import { Store } from "../../agent/store/store.ts";
import { TestClock } from "../../agent/testing.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { testFolder } from "../testbed/folder.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { timed } from "./measure.ts";
import { MADE_UP_NODE, madeUpFigures, madeUpVms } from "./made_up_vms.ts";
import { alone } from "./row.ts";
import { localMachine } from "../../agent/machine/machine.ts";

const VMS = 1000, INTERVAL = 10;
/** A tenth of a core, of the ten seconds between two readings. */
const MOST_CPU_MS = 1000, MOST_MB = 40;

/** Milliseconds of CPU that this process took, all of its threads. A clock tick of the kernel's is 10 ms. */
const cpuMs = () => {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};
const residentMb = () => Deno.memoryUsage().rss / 1e6;

/** Readings that are taken at their real pace, at the end. */
const PACED = 5;

export const thousand: Bench = async function* (context) {
  await using folder = await testFolder();
  const clock = new TestClock(1_700_000_000_000);
  const store = new Store(folder.path, undefined, [{ name: "alerts", migrations: ALERT_MIGRATIONS }]);
  const ids = Array.from({ length: VMS }, () => crypto.randomUUID());
  const vms = madeUpVms(ids);
  const byId = new Map(vms.map((vm) => [vm.id, vm]));
  let tick = 0;
  // Made once: what is measured is ours, not what the bench leaves behind
  const records = ids.map((uuid, vm) => ({ uuid, params: madeUpFigures(vm, tick) }));
  const inventory = {
    vm: (id: string) => byId.get(id),
    storage: { records: () => [] },
    counts: () => ({ active: VMS, total: VMS }),
  };
  const round = () =>
    Promise.resolve({ at: clock.monotonic(), records, node: MADE_UP_NODE } as unknown as SamplerRound);
  const metrics = new MetricStore(folder.path, undefined, 0), feed = new FigureFeed();
  const alertRecords = new AlertRecords(store);
  const engine = new AlertEngine({
    records: alertRecords,
    outbox: new Outbox(alertRecords, clock),
    clock,
    publish: () => {},
    groupOf: () => undefined,
  });
  alertRecords.attach((open) => engine.takeUp(open));
  alertRecords.require();
  const watcher = new AlertWatcher(engine, clock);
  await metrics.ask("figures", {}); // idle: the store's worker is there, as on a host without VMs
  await new Promise((resolve) => setTimeout(resolve, INTERVAL * 1000));
  const before = residentMb();
  let rulesMs = 0;
  using _following = feed.follow((id, taken) => {
    const begun = performance.now();
    watcher.figures({ id, isConnected: true, vms, hangs: [] }, taken);
    rulesMs += performance.now() - begun;
  });
  const collector = new Collector(
    {
      id: LOCAL_HOST,
      machine: localMachine("qemu:///system"),
      inventory: inventory as never,
      sampler: { takeAll: round },
    },
    metrics,
    INTERVAL,
    clock,
    feed,
  );
  const costs: number[] = [], longest: number[] = [], rules: number[] = [];
  for (let each = -2; each < roundsOf(context, 60); each++) {
    tick++;
    for (const { params } of records) {
      for (const [name, value] of Object.entries(params)) {
        if (typeof value === "number" && value > 1e3) params[name] = value + 1e6;
      }
    }
    await clock.advance(INTERVAL * 1000);
    rulesMs = 0;
    const cpu = cpuMs(), took = await timed(() => collector.tick());
    if (each < 0) continue; // series are made known, code is made fast
    costs.push(cpuMs() - cpu);
    longest.push(took);
    rules.push(rulesMs);
  }
  // The readings above follow one another without a pause, and what they leave behind is not collected meanwhile
  const resident: number[] = [];
  for (let each = 0; each < PACED; each++) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL * 1000));
    await clock.advance(INTERVAL * 1000);
    resident.push(residentMb());
    await collector.tick();
  }
  const grown = resident.at(-1)! - before;
  await metrics.close();
  store.close();
  const what = `${VMS} VMs every ${INTERVAL} s (answers made up)`;
  yield* [
    alone({
      what: `${what}: CPU of a reading`,
      ours: [costs.reduce((sum, each) => sum + each, 0) / costs.length],
      aim: { most: MOST_CPU_MS },
    }),
    alone({ what: `${what}: of that, the rules of alerts`, ours: rules }),
    alone({ what: `${what}: from the answer to what is stored`, ours: longest }),
    alone({ what: `${what}: memory above idle`, ours: [grown], unit: "MB", aim: { most: MOST_MB } }),
  ];
};
