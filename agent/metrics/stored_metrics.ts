/** The stored figures of a VM or a host over a range of time. */
import {
  ContractError,
  type Input,
  METRIC_WINDOWS,
  type MetricHistory,
  type MetricSummary,
  MOST_METRIC_TIMES,
} from "../../lib/contract/mod.ts";
import { chooseResolution, resolutionOf, timesIn } from "../../lib/metrics/resolutions.ts";
import type { MetricStore } from "./metric_store.ts";
import type { MetricRetention } from "./retention.ts";
import type { MetricRequest } from "./store_protocol.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Input of a request for the metrics of a VM or of a host. */
export type AskedMetrics = Input<"get_host_metrics"> | Omit<Input<"get_historical_metrics">, "vmId">;

/** Services for reading metrics. `now`: milliseconds since 1970. */
export interface MetricContext {
  readonly store: MetricStore;
  readonly retention: MetricRetention;
  /** Seconds from one reading to the next. */
  readonly interval: number;
  readonly now: () => number;
}

const refuse = (reason: Sentence) => new ContractError("InvalidInput", { reason });

/** The range that is asked for, in milliseconds since 1970. @throws {ContractError} InvalidInput */
export function rangeOf(
  { window, since, until }: AskedMetrics,
  now: number,
): { readonly from: number; readonly to: number } {
  if (window !== undefined && (since !== undefined || until !== undefined)) {
    throw refuse("window and since or until say two things: give one of them");
  }
  const end = Math.min(until ?? now, now);
  const begin = since ?? end - METRIC_WINDOWS[window ?? "1h"];
  if (begin >= end) throw refuse("since must be before until, and before now");
  return { from: begin, to: end };
}

/** Request to the store for an input. @throws {ContractError} InvalidInput */
function requestOf(
  host: string,
  subject: string,
  asked: AskedMetrics,
  context: MetricContext,
): MetricRequest {
  const { retention, interval } = context, now = context.now();
  const range = rangeOf(asked, now);
  const from = Math.floor(range.from / 1000), to = Math.ceil(range.to / 1000);
  const seconds = to - from, age = now / 1000 - from;
  const resolution = asked.resolution === undefined || asked.resolution === "auto"
    ? chooseResolution({ seconds, age }, interval, (name) => retention.keptDays(name))
    : resolutionOf(asked.resolution);
  if (timesIn(seconds, resolution, interval) > MOST_METRIC_TIMES) {
    throw refuse(
      message`the range has more than ${MOST_METRIC_TIMES} times at ${resolution.name}: ask for less, or for auto`,
    );
  }
  return {
    host,
    subject,
    from,
    to,
    interval,
    resolution: resolution.name,
    ...(asked.series && { names: asked.series }),
    ...(asked.label !== undefined && { label: asked.label }),
  };
}

const said = ({ from, to, resolution }: MetricRequest) => ({ from: from * 1000, to: to * 1000, resolution });

/** All figures. @param subject a VM's id, or nothing for the host @throws {ContractError} InvalidInput, MetricsUnavailable */
export async function metricHistory(
  context: MetricContext,
  host: string,
  subject: string,
  asked: AskedMetrics,
): Promise<MetricHistory> {
  const request = requestOf(host, subject, asked, context);
  return { ...said(request), ...await context.store.ask("history", request) };
}

/** The least, mean and greatest of each series. @param subject @throws {ContractError} as {@link metricHistory} */
export async function summariseMetrics(
  context: MetricContext,
  host: string,
  subject: string,
  asked: AskedMetrics,
): Promise<MetricSummary> {
  const request = requestOf(host, subject, asked, context);
  return { ...said(request), series: await context.store.ask("summary", request) };
}

/** {@link summariseMetrics} of what KVM Manager stores. */
export type SummariseMetrics = (host: string, subject: string, asked: AskedMetrics) => Promise<MetricSummary>;
