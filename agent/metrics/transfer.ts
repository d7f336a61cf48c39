/** Stored figures of a VM on their way to another KVM Manager, part by part. */
import { Buffer } from "node:buffer";
import { MOST_METRIC_TIMES } from "../../lib/contract/metric_times.ts";
import { type MetricSeries, VM_SERIES } from "../../lib/contract/metric_series.ts";
import { type FigurePart, MOST_FIGURES } from "../../lib/host/migration_protocol.ts";
import { ChunkError, decodeChunk, encodeChunk } from "../../lib/metrics/chunk.ts";
import type { Points } from "../../lib/metrics/points.ts";
import { DAY_S, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import type { MetricContext } from "./stored_metrics.ts";

/** Seconds that a clock of another host may be ahead. */
const AHEAD_S = DAY_S;

/** Figures as they leave a KVM Manager, and come to one. */
export interface FigureTransfer {
  /** All figures of a VM, the finest first. @throws {ContractError} MetricsUnavailable */
  read(host: string, vmId: string): AsyncGenerator<FigurePart>;
  /** Adds some to those of a VM. @throws {ContractError} MetricsUnavailable @throws {ChunkError} for what are no figures of a VM */
  take(host: string, vmId: string, part: FigurePart): Promise<void>;
}

/** @throws {ChunkError} */
function pointsOf(name: string, chunk: string, now: number): Points {
  const points = decodeChunk(Buffer.from(chunk, "base64")), { times } = points;
  if (!Object.hasOwn(VM_SERIES as Readonly<Record<string, MetricSeries>>, name)) {
    throw new ChunkError("there is no such series of VMs");
  }
  const isRising = times.every((time, index) => index === 0 || time > times[index - 1]!);
  if (!isRising || (times.at(-1) ?? 0) > now / 1000 + AHEAD_S) throw new ChunkError("its times are none");
  return points;
}

/** Transfers figures between the store and another KVM Manager. */
export const figureTransfer = ({ store, retention, interval, now }: MetricContext): FigureTransfer => ({
  async *read(host, vmId) {
    const end = Math.ceil(now() / 1000) + 1;
    for (const { name: resolution, step } of RESOLUTIONS) {
      const span = MOST_METRIC_TIMES * (step || interval);
      for (let from = end - retention.keptDays(resolution) * DAY_S; from < end; from += span) {
        const to = Math.min(from + span, end);
        const found = await store.ask("points", { host, subject: vmId, from, to, interval, resolution });
        let series: FigurePart["series"] = [], size = 0;
        for (const { name, label, points } of found) {
          const chunk = Buffer.from(encodeChunk(points)).toString("base64");
          if (chunk.length > MOST_FIGURES) continue;
          if (size + chunk.length > MOST_FIGURES || series.length === 64) {
            yield { resolution, series };
            series = [];
            size = 0;
          }
          series.push({ name, label, chunk });
          size += chunk.length;
        }
        if (series.length > 0) yield { resolution, series };
      }
    }
  },
  async take(host, subject, { resolution, series }) {
    const taken = series.map(({ name, label, chunk }) => ({
      name,
      label,
      points: pointsOf(name, chunk, now()),
    }));
    await store.ask("take", { host, subject, resolution, series: taken });
  },
});
