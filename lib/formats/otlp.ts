/**
 * Figures as OTLP (OpenTelemetry's protocol, 1.x) in its JSON encoding: field names in lower camel case, 64-bit integers
 * as texts, enums as numbers (opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Pure.
 */
import type { LabelSet, MetricFamily } from "./exposition.ts";

/** `AGGREGATION_TEMPORALITY_CUMULATIVE`: a counter tells all since it began. */
const CUMULATIVE = 2;

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface NumberDataPoint {
  readonly attributes: readonly KeyValue[];
  readonly timeUnixNano: string;
  readonly asDouble: number;
}

interface Metric {
  readonly name: string;
  readonly description: string;
  readonly gauge?: { readonly dataPoints: NumberDataPoint[] };
  readonly sum?: {
    readonly dataPoints: NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
}

/** Body of a request to `/v1/metrics`: an `ExportMetricsServiceRequest`. */
export interface OtlpRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly metrics: readonly Metric[];
    }[];
  }[];
}

/** Sender of the figures, and the time they were taken. */
export interface OtlpSource {
  /** Attributes of the resource: `service.name`, … */
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
  /** Milliseconds since 1970. */
  readonly at: number;
}

const attributesOf = (values: Readonly<Record<string, string>>): KeyValue[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));

/** Nanoseconds since 1970 do not fit a number. */
const nanos = (ms: number) => String(BigInt(Math.round(ms)) * 1_000_000n);

/**
 * The requests that tell of families, each with at most so many points. What is unknown or no number has no point, as JSON
 * has no figure for it.
 */
export function* otlpRequests(
  { resource, scope, at }: OtlpSource,
  families: Iterable<MetricFamily>,
  mostPoints: number,
): Generator<{ readonly request: OtlpRequest; readonly points: number }> {
  const timeUnixNano = nanos(at), about = { attributes: attributesOf(resource) };
  const known = new Map<LabelSet, readonly KeyValue[]>();
  let metrics: Metric[] = [], points = 0;
  const whole = () => ({
    request: { resourceMetrics: [{ resource: about, scopeMetrics: [{ scope, metrics }] }] },
    points,
  });
  for (const { name, kind, help, samples } of families) {
    let dataPoints: NumberDataPoint[] | undefined;
    for (const [labels, value] of samples) {
      if (!Number.isFinite(value)) continue;
      if (dataPoints === undefined) {
        dataPoints = [];
        metrics.push({
          name,
          description: help,
          ...(kind === "gauge"
            ? { gauge: { dataPoints } }
            : { sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } }),
        });
      }
      const attributes = known.getOrInsertComputed(labels, () => attributesOf(labels.values));
      dataPoints.push({ attributes, timeUnixNano, asDouble: value });
      points++;
      if (points < mostPoints) continue;
      yield whole();
      metrics = [];
      points = 0;
      dataPoints = undefined;
    }
  }
  if (points > 0) yield whole();
}

/** Why a receiver took less than all, as its answer tells; undefined where it took all, or says nothing of it. */
export function otlpRefusal(answer: string): string | undefined {
  let told: unknown;
  try {
    told = JSON.parse(answer);
  } catch {
    return undefined; // an answer that is no JSON tells nothing
  }
  const { partialSuccess } = (told ?? {}) as { partialSuccess?: unknown };
  const { rejectedDataPoints = 0, errorMessage } = (partialSuccess ?? {}) as Record<string, unknown>;
  const rejected = Number(rejectedDataPoints);
  if (!(rejected > 0)) return undefined;
  return `${rejected} figures were refused${
    typeof errorMessage === "string" && errorMessage !== "" ? `: ${errorMessage}` : ""
  }`;
}
