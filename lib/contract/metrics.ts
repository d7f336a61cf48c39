/** The past of hosts and VMs: figures over a range of time, their summary, and how long they are kept. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { HOST_SERIES_NAMES, METRIC_UNITS, MOST_LABEL, VM_SERIES_NAMES } from "./metric_series.ts";
import { METRIC_RESOLUTIONS, METRIC_WINDOWS, type MetricWindow, MOST_METRIC_TIMES } from "./metric_times.ts";
import { closed, Instant, NOTHING_IN, oneOf, Timestamp, VmId } from "./schema.ts";

export * from "./metric_times.ts";

/** Formats that figures are written in for other programs. */
export const EXPOSITION_FORMATS = ["openmetrics", "prometheus"] as const;
export type ExpositionFormat = typeof EXPOSITION_FORMATS[number];

/** The range, as all commands take it: so long until now, or since and until. */
const RANGE = {
  window: Type.Optional(
    oneOf(Object.keys(METRIC_WINDOWS) as MetricWindow[], {
      description: "so long until now; 1h where nothing is said. Not together with since and until",
    }),
  ),
  since: Type.Optional(Instant),
  until: Type.Optional(Instant),
  label: Type.Optional(Type.String({
    minLength: 1,
    maxLength: MOST_LABEL,
    description: "only of this disk, network card, vCPU, file system, pool or sensor: vda, vnet0, 0, …",
  })),
  resolution: Type.Optional(oneOf(["auto", ...METRIC_RESOLUTIONS], {
    description: `how fine; auto is the finest that has the range, in at most ${MOST_METRIC_TIMES / 2} times`,
  })),
};

const seriesOf = <const T extends readonly string[]>(names: T) =>
  Type.Optional(
    Type.Array(oneOf(names), { minItems: 1, maxItems: names.length, description: "all when left out" }),
  );

const OF_VM = { vmId: VmId, series: seriesOf(VM_SERIES_NAMES), ...RANGE };
const OF_HOST = { series: seriesOf(HOST_SERIES_NAMES), ...RANGE };

/** Description of one series in an answer. */
const Named = {
  name: Type.String({ description: "the series, as in series" }),
  label: Type.Optional(
    Type.String({ description: "which disk, network card, vCPU, file system, pool or sensor" }),
  ),
  unit: oneOf(METRIC_UNITS),
};

const Values = Type.Array(Type.Union([Type.Number(), Type.Null()]), {
  description: "one for each of times; null where nothing is known: a gap, no zero",
});

export const MetricHistory = Type.Object({
  from: Timestamp,
  to: Timestamp,
  resolution: oneOf(METRIC_RESOLUTIONS),
  stepSeconds: Type.Integer({ description: "seconds from one of times to the next" }),
  times: Type.Array(Timestamp),
  series: Type.Array(Type.Object({ ...Named, min: Values, avg: Values, max: Values })),
});
export type MetricHistory = Static<typeof MetricHistory>;

const Figure = Type.Union([Type.Number(), Type.Null()]);

export const MetricSummary = Type.Object({
  from: Timestamp,
  to: Timestamp,
  resolution: oneOf(METRIC_RESOLUTIONS),
  series: Type.Array(Type.Object({
    ...Named,
    points: Type.Integer({ description: "times at which it is known" }),
    coverage: Type.Number({ description: "share of the range in which it is known, 0–1" }),
    last: Figure,
    min: Figure,
    avg: Figure,
    max: Figure,
    p50: Figure,
    p90: Figure,
    p95: Figure,
    p99: Figure,
  })),
});
export type MetricSummary = Static<typeof MetricSummary>;

const keptDays = (of: string) =>
  Type.Integer({ minimum: 1, maximum: 365, description: `days that ${of} are kept` });

const Policy = {
  enabled: Type.Boolean({ description: "old figures are removed each day" }),
  days: keptDays("figures of 1h, and so any"),
  quarterHourDays: keptDays("figures of 15m"),
  minuteDays: keptDays("figures of 1m"),
  rawDays: keptDays("figures as they were taken"),
  cleanupHour: Type.Integer({ minimum: 0, maximum: 23, description: "hour of the day, by the host's clock" }),
};

/** Size and content of the store of metrics. */
export const MetricFigures = Type.Object({
  bytes: Type.Integer({ description: "of its files" }),
  freeBytes: Type.Integer({ description: "of them not in use" }),
  series: Type.Integer(),
  resolutions: Type.Array(Type.Object({
    resolution: oneOf(METRIC_RESOLUTIONS),
    points: Type.Integer(),
    bytes: Type.Integer(),
    oldest: Type.Union([Timestamp, Type.Null()]),
  })),
});
export type MetricFigures = Static<typeof MetricFigures>;

export const RetentionPolicy = Type.Object({
  ...Policy,
  intervalSeconds: Type.Integer({ description: "seconds from one reading to the next (--metrics-interval)" }),
  figures: Type.Union([MetricFigures, Type.Null()], { description: "null while the store cannot tell" }),
  trouble: Type.Optional(Type.String({ description: "why nothing is stored at the moment, and what to do" })),
  held: Type.Optional(Type.String({ description: "why nothing is removed at the moment" })),
  lastCleanup: Type.Union([Timestamp, Type.Null()]),
});
export type RetentionPolicy = Static<typeof RetentionPolicy>;

export const MetricCleanup = Type.Object({
  removedPoints: Type.Integer(),
  freedBytes: Type.Integer({ description: "given back to the file system" }),
});
export type MetricCleanup = Static<typeof MetricCleanup>;

const READ = { role: "viewer", readOnly: true, withoutLibvirt: true } as const;
const ADMINISTER = { role: "administrator", withoutLibvirt: true } as const;

/** Commands on the figures of one host or VM. */
export const metricCommands = {
  get_historical_metrics: command({
    ...READ,
    summary: "Show a VM's figures over a range of time",
    description:
      "Columns: the times, and of each series the least, the mean and the greatest figure of each step.",
    input: closed(OF_VM),
    output: MetricHistory,
    errors: ["VmNotFound", "MetricsUnavailable"],
    route: "GET /vms/{vmId}/metrics",
    cli: ["metrics", "show", "<vmId>"],
    rows: "series",
    columns: ["name", "label", "unit", "avg"],
    wide: ["min", "max"],
    examples: ["kvm-manager metrics show web --window=24h --series=cpu_usage,memory_used --output=json"],
  }),
  get_metric_summary: command({
    ...READ,
    summary: "Sum a VM's figures up over a range of time",
    description: "Mean, extremes and percentiles of the steps' means.",
    input: closed(OF_VM),
    output: MetricSummary,
    errors: ["VmNotFound", "MetricsUnavailable"],
    route: "GET /vms/{vmId}/metrics/summary",
    cli: ["metrics", "summary", "<vmId>"],
    rows: "series",
    columns: ["name", "label", "unit", "last", "avg", "p95", "max"],
    wide: ["points", "coverage", "min", "p50", "p90", "p99"],
    examples: ["kvm-manager metrics summary web --window=7d"],
  }),
  get_host_metrics: command({
    ...READ,
    summary: "Show the host's figures over a range of time",
    input: closed(OF_HOST),
    output: MetricHistory,
    errors: ["MetricsUnavailable"],
    route: "GET /host/metrics",
    cli: ["metrics", "host"],
    rows: "series",
    columns: ["name", "label", "unit", "avg"],
    wide: ["min", "max"],
  }),
  get_host_metric_summary: command({
    ...READ,
    summary: "Sum the host's figures up over a range of time",
    input: closed(OF_HOST),
    output: MetricSummary,
    errors: ["MetricsUnavailable"],
    route: "GET /host/metrics/summary",
    cli: ["metrics", "host-summary"],
    rows: "series",
    columns: ["name", "label", "unit", "last", "avg", "p95", "max"],
    wide: ["points", "coverage", "min", "p50", "p90", "p99"],
  }),
};

/** Commands on the figures of all hosts, for other programs. */
export const metricExportCommands = {
  export_metrics: command({
    role: "viewer",
    permission: "metrics.scrape",
    summary: "Write the latest figures of hosts and VMs for Prometheus",
    description:
      "As GET /metrics gives them, where --metrics-endpoint has switched that on: of the VMs that may be seen, and of " +
      "the hosts and their pools where these may be.",
    input: closed({
      format: Type.Optional(oneOf(EXPOSITION_FORMATS, {
        description: "OpenMetrics 1.0, the default, or the text format of Prometheus",
      })),
    }),
    output: Type.Object({ text: Type.String() }),
    errors: ["MetricsUnavailable"],
    hides: "other-figures",
    route: "GET /metrics/export",
    cli: ["metrics", "export"],
    file: { field: "text" },
    examples: ["kvm-manager metrics export --format=prometheus"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};

/** Commands on how long figures are kept, on all hosts. */
export const retentionCommands = {
  get_retention_policy: command({
    ...ADMINISTER,
    summary: "Show how long metrics are kept, and what they take up",
    input: NOTHING_IN,
    output: RetentionPolicy,
    errors: ["StoreUnavailable"],
    route: "GET /metrics/retention",
    cli: ["metrics", "retention"],
    readOnly: true,
  }),
  update_retention_policy: command({
    ...ADMINISTER,
    summary: "Set how long metrics are kept",
    description: "What is left out stays as it is. Nothing is kept longer than days.",
    input: closed({
      enabled: Type.Optional(Policy.enabled),
      days: Type.Optional(Policy.days),
      quarterHourDays: Type.Optional(Policy.quarterHourDays),
      minuteDays: Type.Optional(Policy.minuteDays),
      rawDays: Type.Optional(Policy.rawDays),
      cleanupHour: Type.Optional(Policy.cleanupHour),
    }),
    output: RetentionPolicy,
    errors: ["StoreUnavailable"],
    route: "PUT /metrics/retention",
    cli: ["metrics", "set-retention"],
    examples: ["kvm-manager metrics set-retention --days=180 --cleanup-hour=4"],
    exampleFields: ["days", "cleanupHour"],
    readOnly: false,
  }),
  execute_cleanup: command({
    ...ADMINISTER,
    summary: "Delete metrics that are older than the policy keeps",
    description: "It does now what is done each day at the cleanup hour, also while that is switched off.",
    input: NOTHING_IN,
    output: MetricCleanup,
    errors: ["StoreUnavailable", "MetricsUnavailable"],
    route: "POST /metrics/cleanup",
    cli: ["metrics", "cleanup"],
    readOnly: false,
  }),
  cleanup_old_metrics: command({
    ...ADMINISTER,
    summary: "Delete metrics that are older than so many days",
    input: closed({
      days: Type.Integer({ minimum: 1, maximum: 365, description: "what is younger is kept" }),
    }),
    output: MetricCleanup,
    errors: ["MetricsUnavailable"],
    route: "POST /metrics/cleanup-older",
    cli: ["metrics", "delete"],
    destroys: "the metrics of all hosts and VMs from before that",
    readOnly: false,
  }),
};
