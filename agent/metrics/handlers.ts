/** The commands on the figures of one host and its VMs, and on how long they are kept. */
import type { metricCommands, metricPushCommands, retentionCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { MetricPusher } from "./push.ts";
import type { MetricRetention } from "./retention.ts";
import { type AskedMetrics, type MetricContext, metricHistory, summariseMetrics } from "./stored_metrics.ts";

/** A handler for each command on the figures of a host. */
export function metricHandlers(
  host: LibvirtHost,
  context: MetricContext,
): Pick<Handlers, keyof typeof metricCommands> {
  const history = (subject: string, asked: AskedMetrics) => metricHistory(context, host.id, subject, asked);
  const summary = (subject: string, asked: AskedMetrics) =>
    summariseMetrics(context, host.id, subject, asked);
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
