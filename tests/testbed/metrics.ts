/** Figures of the past, made up and written into a store of metrics. */
import { beginFirstStart } from "../../agent/store/first_start.ts";
import { join } from "node:path";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { METRICS_FILE } from "../../agent/metrics/metric_file.ts";
import { MetricService } from "../../agent/metrics/metric_service.ts";
import type { MetricStore } from "../../agent/metrics/metric_store.ts";
import type { MetricCall, MetricCalls, ToMetricWorker } from "../../agent/metrics/store_protocol.ts";

/** A store in this thread. */
export interface StoreHere extends Disposable {
  /** @throws {Error} with the store's trouble */
  ask<C extends MetricCall>(call: C, input: MetricCalls[C]["in"]): MetricCalls[C]["out"];
  /** Generation of the file that the ids belong to. */
  readonly generation: number;
}

/** The store in a folder of a server that does not run, in this thread. Close it before the server starts. */
export function storeIn(dataDir: string): StoreHere {
  const service = new MetricService();
  let told = 0;
  const ask = <C extends MetricCall>(call: C, input: MetricCalls[C]["in"]): MetricCalls[C]["out"] => {
    const { value, trouble, generation } = service.answer({ call, input } as ToMetricWorker);
    if (trouble !== undefined) throw new Error(trouble);
    told = generation;
    return value as MetricCalls[C]["out"];
  };
  // The server that starts there has no database yet, and has lost none
  beginFirstStart(dataDir);
  ask("open", { path: join(dataDir, METRICS_FILE), reserve: 0 });
  return {
    ask,
    get generation() {
      return told;
    },
    [Symbol.dispose]: () => void ask("close", {}),
  };
}

/**
 * Writes the last day of VMs, one reading a minute, all alike. A reading is written whole: of a later call the figures
 * would take the place of these.
 *
 * @param figures by id of the VM and name of the series
 */
export async function writeDay(
  store: StoreHere | Pick<MetricStore, "ask" | "generation">,
  figures: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Promise<void> {
  const all = Object.entries(figures).flatMap(([subject, series]) =>
    Object.entries(series).map(([name, figure]) => ({
      key: { host: LOCAL_HOST, subject, name, label: "" },
      figure,
    }))
  );
  const ids = await store.ask("register", { keys: all.map(({ key }) => key) }), { generation } = store;
  const order = [...ids.keys()].sort((a, b) => ids[a]! - ids[b]!);
  const end = Math.floor(Date.now() / 60_000) * 60;
  for (let time = end - 24 * 3600; time < end; time += 60) {
    await store.ask("write", {
      time,
      generation,
      ids: Uint32Array.from(order, (index) => ids[index]!),
      figures: Float32Array.from(order, (index) => all[index]!.figure),
    });
  }
}
