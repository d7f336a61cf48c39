/**
 * A receiver of OTLP over HTTP, of our own: Debian 12 has no collector, and its Prometheus (2.42) does not take OTLP yet. It
 * takes what the published messages of OTLP 1.x have, by their field names: another field, or another kind of value, is
 * refused.
 */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";

/** opentelemetry/proto/{collector/metrics,metrics,resource,common}/v1, as far as figures are sent: by message, in JSON's names. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ExportMetricsServiceRequest: { resourceMetrics: "ResourceMetrics[]" },
  ResourceMetrics: { resource: "Resource", scopeMetrics: "ScopeMetrics[]", schemaUrl: "string" },
  Resource: { attributes: "KeyValue[]", droppedAttributesCount: "uint32" },
  ScopeMetrics: { scope: "InstrumentationScope", metrics: "Metric[]", schemaUrl: "string" },
  InstrumentationScope: { name: "string", version: "string", attributes: "KeyValue[]" },
  Metric: { name: "string", description: "string", unit: "string", gauge: "Gauge", sum: "Sum" },
  Gauge: { dataPoints: "NumberDataPoint[]" },
  Sum: { dataPoints: "NumberDataPoint[]", aggregationTemporality: "temporality", isMonotonic: "bool" },
  NumberDataPoint: {
    attributes: "KeyValue[]",
    startTimeUnixNano: "fixed64",
    timeUnixNano: "fixed64",
    asDouble: "double",
    asInt: "fixed64",
    flags: "uint32",
  },
  KeyValue: { key: "string", value: "AnyValue" },
  AnyValue: { stringValue: "string" },
};
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  double: (value) => typeof value === "number" && Number.isFinite(value),
  uint32: (value) => Number.isInteger(value),
  fixed64: (value) => typeof value === "string" && /^\d{1,20}$/.test(value),
  temporality: (value) => value === 1 || value === 2,
};

/** Differences of a value from the type of a message. */
function faults(value: unknown, type: string, at = type): string[] {
  if (type.endsWith("[]")) {
    return Array.isArray(value)
      ? value.flatMap((each, index) => faults(each, type.slice(0, -2), `${at}.${index}`))
      : [`${at} is no list`];
  }
  const scalar = SCALARS[type];
  if (scalar !== undefined) return scalar(value) ? [] : [`${at} is ${JSON.stringify(value)}`];
  if (typeof value !== "object" || value === null) return [`${at} is no ${type}`];
  return Object.entries(value).flatMap(([name, part]) => {
    const own = FIELDS[type]![name];
    return own === undefined ? [`${at} has ${name}`] : faults(part, own, `${at}.${name}`);
  });
}

/** A figure. */
export interface Point {
  readonly attributes: { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly timeUnixNano: string;
  readonly asDouble: number;
}
/** Request as it is sent. */
export interface OtlpRequestSent {
  readonly resourceMetrics: {
    readonly resource: { readonly attributes: Point["attributes"] };
    readonly scopeMetrics: {
      readonly metrics: {
        readonly name: string;
        readonly gauge?: { readonly dataPoints: Point[] };
        readonly sum?: { readonly dataPoints: Point[]; readonly isMonotonic: boolean };
      }[];
    }[];
  }[];
}

/** Begins to receive. @param answer what it answers, instead of taking it */
export function otlpReceiver(
  answer: () => Response | undefined = () => undefined,
  tls: { cert: string; key: string } | null = null,
) {
  const got: { path: string; headers: Headers; request: OtlpRequestSent }[] = [];
  const serve = async (request: Request) => {
    const packed = new Uint8Array(await request.arrayBuffer());
    assert.equal(request.headers.get("content-encoding"), "gzip");
    const body = JSON.parse(new TextDecoder().decode(gunzipSync(packed)));
    const wrong = request.headers.get("content-type") === "application/json"
      ? faults(body, "ExportMetricsServiceRequest")
      : ["content-type"];
    got.push({ path: new URL(request.url).pathname, headers: request.headers, request: body });
    if (wrong.length > 0) return new Response(wrong.slice(0, 3).join("; "), { status: 400 });
    return answer() ?? Response.json({ partialSuccess: {} });
  };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = tls === null ? Deno.serve(options, serve) : Deno.serve({ ...options, ...tls }, serve);
  return {
    got,
    url: `${tls === null ? "http://127.0.0.1" : "https://localhost"}:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
