/// <reference lib="deno.worker" />
/** The worker that has the metrics' file: what takes long there holds nobody else up. */
import { MetricService } from "./metric_service.ts";
import type { ToMetricWorker } from "./store_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const service = new MetricService();
self.onmessage = ({ data }: MessageEvent<ToMetricWorker>) => self.postMessage(service.answer(data));
