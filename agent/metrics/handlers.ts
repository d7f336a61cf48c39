/** The commands on the figures of one host and its VMs, and on how long they are kept. */
import {
  ContractError,
  type Input,
  METRIC_WINDOWS,
  type metricCommands,
  type MetricHistory,
  type metricPushCommands,
  type MetricSummary,
  MOST_METRIC_TIMES,
  type retentionCommands,
} from "../../lib/contract/mod.ts";
import { chooseResolution, resolutionOf, timesIn } from "../../lib/metrics/resolutions.ts";
import type { Handlers } from "../dispatch.ts";
import type { Host } from "../hosts/host.ts";
import type { MetricStore } from "./metric_store.ts";
import type { MetricPusher } from "./push.ts";
import type { MetricRetention } from "./retention.ts";
import type { MetricRequest } from "./store_protocol.ts";

/** What a command asks for, of a VM or of a host. */
type Asked = Input<"get_host_metrics"> | Omit<Input<"get_historical_metrics">, "vmId">;

/** What the handlers work with. `now`: milliseconds since 1970. */
export interface MetricContext {
  readonly store: MetricStore;
  readonly retention: MetricRetention;
  /** Seconds from one reading to the next. */
  readonly interval: number;
  readonly now: () => number;
}

const refuse = (reason: string) => new ContractError("InvalidInput", { reason });

/** The range that is asked for, in milliseconds since 1970. @throws {ContractError} InvalidInput */
export function rangeOf(
  { window, since, until }: Asked,
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

/** What to ask the store for. @throws {ContractError} InvalidInput */
function requestOf(host: string, subject: string, asked: Asked, context: MetricContext): MetricRequest {
  const { retention, interval } = context, now = context.now();
  const range = rangeOf(asked, now);
  const from = Math.floor(range.from / 1000), to = Math.ceil(range.to / 1000);
  const seconds = to - from, age = now / 1000 - from;
  const resolution = asked.resolution === undefined || asked.resolution === "auto"
    ? chooseResolution({ seconds, age }, interval, (name) => retention.keptDays(name))
    : resolutionOf(asked.resolution);
  if (timesIn(seconds, resolution, interval) > MOST_METRIC_TIMES) {
    throw refuse(
      `the range has more than ${MOST_METRIC_TIMES} times at ${resolution.name}: ask for less, or for auto`,
    );
  }
  return {
    ...{ host, subject, from, to, interval, resolution: resolution.name },
    ...(asked.series && { names: asked.series }),
    ...(asked.label !== undefined && { label: asked.label }),
  };
}

const said = ({ from, to, resolution }: MetricRequest) => ({ from: from * 1000, to: to * 1000, resolution });

/** A handler for each command on the figures of a host. */
export function metricHandlers(
  host: Host,
  context: MetricContext,
): Pick<Handlers, keyof typeof metricCommands> {
  const history = async (subject: string, asked: Asked): Promise<MetricHistory> => {
    const request = requestOf(host.id, subject, asked, context);
    return { ...said(request), ...await context.store.ask("history", request) };
  };
  const summary = async (subject: string, asked: Asked): Promise<MetricSummary> => {
    const request = requestOf(host.id, subject, asked, context);
    return { ...said(request), series: await context.store.ask("summary", request) };
  };
  return {
    get_historical_metrics: ({ vmId, ...asked }) => history(host.requireVm(vmId).id, asked),
    get_metric_summary: ({ vmId, ...asked }) => summary(host.requireVm(vmId).id, asked),
    get_host_metrics: (asked) => history("", asked),
    get_host_metric_summary: (asked) => summary("", asked),
  };
}

/** A handler for each command on how long figures are kept. */
export function retentionHandlers(
  retention: MetricRetention,
): Pick<Handlers, keyof typeof retentionCommands> {
  return {
    get_retention_policy: () => retention.show(),
    update_retention_policy: (change) => {
      retention.set(change);
      return retention.show();
    },
    execute_cleanup: () => retention.cleanUp(),
    cleanup_old_metrics: ({ days }) => retention.removeOlder(days),
  };
}

/** A handler for each command on what is sent. @param stopping aborted when KVM Manager stops */
export function pushHandlers(
  push: MetricPusher,
  stopping: AbortSignal,
): Pick<Handlers, keyof typeof metricPushCommands> {
  return {
    get_metric_push: () => push.show(),
    update_metric_push: (change) => {
      push.set(change);
      return push.show();
    },
    test_metric_push: async () => ({ points: await push.test(stopping) }),
  };
}
