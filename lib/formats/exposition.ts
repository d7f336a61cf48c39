/**
 * Figures as text for other programs: OpenMetrics 1.0 (github.com/prometheus/OpenMetrics) and the text format of
 * Prometheus (0.0.4). Pure.
 */

import type { ExpositionFormat } from "../contract/metrics.ts";

/** Labels of samples: made once for all that is known of a thing, as the texts below have them. */
export interface LabelSet {
  readonly values: Readonly<Record<string, string>>;
  /** In braces; empty where there are none. */
  readonly text: string;
}

/** Labels and value. NaN is left out: an unknown value has no sample. */
export type Sample = readonly [labels: LabelSet, value: number];

/** Samples of one name. */
export interface MetricFamily {
  /** Of a counter without `_total`. */
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly samples: Iterable<Sample>;
}

const OPENMETRICS_TYPE = "application/openmetrics-text";
const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  openmetrics: `${OPENMETRICS_TYPE}; version=1.0.0; charset=utf-8`,
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** The media type of a format. */
export function contentTypeOf(format: ExpositionFormat): string {
  return CONTENT_TYPES[format];
}

/** Weight that an entry of `Accept` gives (RFC 9110, 12.4.2): 1 where it says none. */
function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((each) => each.startsWith("q="));
  const weight = text === undefined ? 1 : Number(text.slice(2));
  return Number.isFinite(weight) ? weight : 0;
}

/** The format that a client takes rather: OpenMetrics where it names it and prefers no plain text. */
export function formatFor(accept: string | null): ExpositionFormat {
  const weights = { openmetrics: 0, prometheus: 0 };
  for (const entry of (accept ?? "").split(",")) {
    const [type, ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    const format = type === OPENMETRICS_TYPE
      ? "openmetrics"
      : type === "text/plain" || type === "text/*"
      ? "prometheus"
      : undefined;
    if (format !== undefined) weights[format] = Math.max(weights[format], weightOf(parameters));
  }
  return weights.openmetrics > 0 && weights.openmetrics >= weights.prometheus ? "openmetrics" : "prometheus";
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };
const escaped = (text: string, pattern: RegExp) => text.replace(pattern, (each) => ESCAPES[each]!);

/** Labels, without those that are not known. A value is whatever somebody named a thing. */
export function labelSet(labels: Readonly<Record<string, string | undefined>>): LabelSet {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (value !== undefined) values[name] = value.toWellFormed();
  }
  const parts = Object.entries(values).map(([name, value]) => `${name}="${escaped(value, /[\\"\n]/g)}"`);
  return { values, text: parts.length === 0 ? "" : `{${parts.join(",")}}` };
}

/** Of what there is one alone. */
export const NO_LABELS: LabelSet = labelSet({});

const figure = (value: number) => value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);

/** Characters of a piece, about. */
const PIECE = 32_768;

/** The text, piece by piece. A family without samples is left out. */
export function* exposition(families: Iterable<MetricFamily>, format: ExpositionFormat): Generator<string> {
  const isOpen = format === "openmetrics";
  let piece = "";
  for (const { name, kind, help, samples } of families) {
    const sampled = kind === "counter" ? `${name}_total` : name;
    const told = isOpen ? name : sampled;
    let head = `# HELP ${told} ${escaped(help, isOpen ? /[\\"\n]/g : /[\\\n]/g)}\n# TYPE ${told} ${kind}\n`;
    for (const [labels, value] of samples) {
      if (Number.isNaN(value)) continue;
      piece += `${head}${sampled}${labels.text} ${figure(value)}\n`;
      head = "";
      if (piece.length >= PIECE) {
        yield piece;
        piece = "";
      }
    }
  }
  yield isOpen ? `${piece}# EOF\n` : piece;
}
