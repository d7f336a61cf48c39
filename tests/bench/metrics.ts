/** Metrics: the cost of a reading compared with the bare call, the size of the history, and the time for a graph of it. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { quantise } from "../../lib/metrics/quantise.ts";
import { exposition } from "../../lib/formats/exposition.ts";
import { exportedFamilies, type ExportedVm } from "../../lib/metrics/exported.ts";
import { Collector } from "../../agent/metrics/collector.ts";
import { appHere } from "../testbed/app_here.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { storeIn } from "../testbed/metrics.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { madeUpFigures } from "./made_up_vms.ts";
import { inTurn, timed } from "./measure.ts";
import { alone, comparison, type Row } from "./row.ts";
import { localMachine } from "../../agent/machine/machine.ts";

/** VMs that run while readings are taken. */
const RUNNING = 6;
/** The past that is made up. */
const DAYS = 30, INTERVAL = 30, HOUR = 3600;
const BEGIN = 1_700_000_400 - 1_700_000_400 % HOUR;
/** Series of a made-up VM: how each goes on, from a walk between 0 and 100 and the hour. */
const SERIES: Readonly<Record<string, (walk: number, hour: number) => number>> = {
  cpu_usage: (walk) => walk,
  cpu_steal: () => 0,
  memory_used: (walk) => 2e9 + walk * 1e7,
  memory_rss: () => 3e9,
  disk_read_bytes: () => Math.random() < 0.3 ? Math.random() * 1e7 : 0,
  disk_write_bytes: () => Math.random() < 0.3 ? Math.random() * 1e7 : Math.random() * 3000,
  disk_allocation: (_walk, hour) => 1e10 + hour * 1e6,
  nic_rx_bytes: () => Math.random() < 0.3 ? Math.random() * 1e7 : Math.random() * 3000,
  nic_tx_bytes: () => Math.random() < 0.3 ? Math.random() * 1e7 : Math.random() * 3000,
  nic_rx_drops: () => 0,
};

/** Makes up the past of so many VMs, and tells what it takes up and how long a graph of it takes. */
async function past(vms: number): Promise<Row[]> {
  await using folder = await testFolder();
  using store = storeIn(folder.path); // in this thread: its own time, and no other's
  const rules = Object.values(SERIES);
  const keys = Array.from(
    { length: vms },
    (_, vm) =>
      Object.keys(SERIES).map((name) => ({ host: LOCAL_HOST, subject: `vm-${vm}`, name, label: "" })),
  ).flat();
  const ids = store.ask("register", { keys }), { generation } = store;
  const walks = new Float32Array(keys.length).fill(20), packing: number[] = [];
  for (let hour = 0; hour < DAYS * 24; hour++) {
    for (let time = BEGIN + hour * HOUR; time < BEGIN + (hour + 1) * HOUR; time += INTERVAL) {
      const figures = Float32Array.from(ids, (_, index) => {
        walks[index] = Math.min(100, Math.max(0, walks[index]! + (Math.random() - 0.5) * 8));
        return quantise(rules[index % rules.length]!(walks[index]!, hour));
      });
      store.ask("write", { time, ids, figures, generation });
    }
    for (let more = true; more;) {
      packing.push(
        await timed(() => Promise.resolve(more = store.ask("pack", { now: BEGIN + (hour + 1) * HOUR }))),
      );
    }
  }
  store.ask("shrink", {});
  const figures = store.ask("figures", {});
  const points = figures.resolutions.reduce((sum, each) => sum + each.points, 0);
  const graphs: number[] = [];
  for (let vm = 0; vm < vms; vm++) {
    const request = {
      host: LOCAL_HOST,
      subject: `vm-${vm}`,
      from: BEGIN,
      to: BEGIN + DAYS * 24 * HOUR,
      ...{ resolution: "1h", interval: INTERVAL } as const,
    };
    graphs.push(await timed(() => Promise.resolve(store.ask("history", request))));
  }
  const what = `${DAYS} days of ${vms} VMs`;
  return [
    alone({ what: `${what}: a point on disk`, ours: [figures.bytes / points], unit: "B", aim: { most: 6 } }),
    alone({ what: `${what}: the slowest graph of all`, ours: [Math.max(...graphs)], aim: { most: 50 } }),
    alone({ what: `${what}: the longest part of packing`, ours: [Math.max(...packing)] }),
  ];
}

/** VMs of a scrape. */
const SCRAPED = 1000;

/** Made-up VMs with two disks and two cards each, as Prometheus is told of them: all of it, and the longest piece. */
async function scrape(rounds: number): Promise<Row[]> {
  const vms = Array.from({ length: SCRAPED }, (_, index): ExportedVm => ({
    name: `vm-${index}`,
    id: crypto.randomUUID(),
    state: 1,
    virtualCpus: 2,
    memoryBytes: 2 ** 31,
    maximumMemoryBytes: 2 ** 31,
    bridgeOf: () => "virbr0",
    reading: madeUpFigures(index, 7),
  }));
  const whole: number[] = [], longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let most = 0, all = 0;
    const pieces = exposition(exportedFamilies(vms, []), "openmetrics");
    for (let done: boolean | undefined = false; !done;) {
      const ms = await timed(() => Promise.resolve(done = pieces.next().done));
      all += ms;
      most = Math.max(most, ms);
    }
    whole.push(all);
    longest.push(most);
  }
  return [
    alone({ what: `a scrape of ${SCRAPED} VMs`, ours: whole, aim: { most: 500 } }),
    alone({
      what: `a scrape of ${SCRAPED} VMs: the longest time that others wait`,
      ours: longest,
      aim: { most: 50 },
    }),
  ];
}

export const metrics: Bench = async function* (context) {
  await using machines = new AsyncDisposableStack();
  for (let index = 0; index < RUNNING; index++) {
    machines.use(
      await testMachine({ purpose: "bench", guest: false, start: true, memoryMiB: 64, disks: [{}] }),
    );
  }
  await using here = await appHere();
  const { link, inventory, sampler } = here.app.hosts.local;
  const clock = { ms: BEGIN * 1000, now: () => clock.ms };
  const host = { id: LOCAL_HOST, machine: localMachine("qemu:///system"), inventory, sampler };
  const collector = new Collector(host, here.app.metrics, INTERVAL, clock);
  await collector.tick();
  const figures = await inTurn(roundsOf(context, 20), {
    ours: () =>
      timed(() => {
        clock.ms += INTERVAL * 1000;
        return collector.tick();
      }),
    call: () =>
      timed(() =>
        link.call("domainStats", {
          uuids: inventory.active(),
          groups: ["cpu", "balloon", "interface", "block", "vcpu"],
        })
      ),
  });
  const what = `a reading of ${RUNNING} VMs and the host, stored`;
  yield comparison({
    what,
    ours: figures.ours,
    theirs: figures.call,
    peer: "the bare call",
    aim: { ratio: 1.3 },
  });
  yield* await scrape(context.quick ? 3 : 10);
  yield* await past(context.quick ? 4 : 100);
};
