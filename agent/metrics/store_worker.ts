/// <reference lib="deno.worker" />
/** The worker that has the metrics' file: what takes long there does not block the main thread. */
import { MetricService } from "./metric_service.ts";
import type { ToMetricWorker } from "./store_protocol.ts";
import { dirname } from "node:path";
import { log } from "../log.ts";
import { LOOK_MS, StallWatch } from "../stall_watch.ts";

declare const self: DedicatedWorkerGlobalScope;

const service = new MetricService();

/** This worker runs all the time and waits for nothing most of it, so that it watches the main thread as well. */
function watch(heartbeat: SharedArrayBuffer, dataDir: string): void {
  const stalls = new StallWatch(new Int32Array(heartbeat), dataDir, (message) => log.error(message));
  setInterval(() => stalls.look(performance.now()), LOOK_MS);
}

self.onmessage = ({ data }: MessageEvent<ToMetricWorker>) => {
  if (data.call === "open" && data.input.heartbeat) watch(data.input.heartbeat, dirname(data.input.path));
  self.postMessage(service.answer(data));
};
