/** The past of hosts and VMs. */
import type {
  metricCommands,
  metricExportCommands,
  metricPushCommands,
  retentionCommands,
} from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { feature } from "../feature.ts";
import { log } from "../log.ts";
import { Collector } from "./collector.ts";
import { type ExportedHost, exportHandlers, familiesOfHost } from "./export.ts";
import { metricHandlers, pushHandlers, retentionHandlers } from "./handlers.ts";
import { figureTransfer } from "./transfer.ts";
import { MetricPusher, PUSH_MIGRATIONS } from "./push.ts";
import { summariseMetrics } from "./stored_metrics.ts";
import { MetricRetention, RETENTION_MIGRATIONS } from "./retention.ts";

/** Milliseconds between looks at what is over, and at what is too old. */
const UPKEEP_MS = 30_000;
/** Milliseconds between looks whether figures are to be sent. */
const PUSH_LOOK_MS = 1000;

export const metricsFeature = feature<
  keyof typeof retentionCommands | keyof typeof metricExportCommands | keyof typeof metricPushCommands,
  keyof typeof metricCommands
>({
  name: "metrics",
  migrations: [...RETENTION_MIGRATIONS, ...PUSH_MIGRATIONS],
  open: (app) => {
    const {
      store,
      metrics,
      figures,
      drift,
      clock,
      settings: { metricsInterval: interval, metricsEndpoint },
    } = app;
    const collected: ExportedHost[] = [];
    const retention = new MetricRetention(store, metrics, interval, drift, clock);
    const now = () => clock.now();
    const push = new MetricPusher({
      store,
      clock,
      latest: () =>
        collected.flatMap((each) => {
          const { host: { id, inventory: { hostname } }, collector: { latest } } = each;
          return latest === undefined
            ? []
            : [{ id, hostname, takenAt: latest.takenAt, families: familiesOfHost(app, each) }];
        }),
    });
    const context = { store: metrics, retention, interval, now };
    app.figureTransfer.give(figureTransfer(context));
    app.metricSummaries.give((host, subject, asked) => summariseMetrics(context, host, subject, asked));
    const stopping = new AbortController();
    return {
      handlers: {
        ...retentionHandlers(retention),
        ...exportHandlers(app, () => collected),
        ...pushHandlers(push, stopping.signal),
      },
      periodic: [{
        name: "metrics push",
        every: () => PUSH_LOOK_MS,
        run: (signal) => push.run(signal),
      }, {
        name: "metrics upkeep",
        every: () => UPKEEP_MS,
        run: async (signal) => {
          try {
            await metrics.pack(Math.floor(now() / 1000), signal);
            await retention.cleanUpWhenDue();
          } catch (error) {
            if (!(error instanceof ContractError)) throw error;
            log.debug("the metrics were not packed or cleaned", { error }); // the store has said why
          }
        },
      }],
      stop: () => {
        stopping.abort();
        return metrics.close();
      },
      host: (host) => {
        const { id, inventory, sampler, machine } = host;
        const collector = new Collector(
          {
            id,
            inventory,
            sampler,
            machine,
            keepsLatest: () => metricsEndpoint !== "off" || push.isOn,
            guestReading: (vmId) => host.guests.reading(vmId),
            simulated: host.link.simulation?.machine,
          },
          metrics,
          interval,
          { now },
          figures,
        );
        const own: ExportedHost = { host, collector };
        collected.push(own);
        return {
          stop: () => void collected.splice(collected.indexOf(own), 1),
          handlers: metricHandlers(host, context),
          periodic: [{
            name: "metrics",
            // At the beginning of each slot of time, not so long after the one before
            every: () => collector.isDue ? 0 : Infinity,
            run: () => collector.tick(),
          }],
        };
      },
    };
  },
});
