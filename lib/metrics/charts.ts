/** The graphs of a VM and of a host, as a table: which series each shows, and what is made of several parts. */
import type { HostSeriesName, MetricPart, MetricUnit, VmSeriesName } from "../contract/metric_series.ts";
import type { monitoring } from "../i18n/en/monitoring.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

/** A key of the area's texts. */
type Text = PlainKeyOf<typeof monitoring>;

/** Colours that lines may have: the names that the stylesheet knows. */
export type LineToken = "cpu" | "memory" | "read" | "write" | "rx" | "tx";

/** A line of a chart. */
export interface ChartSeries<Name extends string = string> {
  readonly name: Name;
  /** Label in the legend of its chart. */
  readonly label: Text;
  readonly token: LineToken;
}

/** A chart, for any subject. */
export interface Chart<Name extends string = string> {
  readonly id: string;
  readonly title: Text;
  readonly unit: MetricUnit;
  readonly series: readonly ChartSeries<Name>[];
  /** Kind of its parts, and their combination: all together, the one with the most, or that with the most traffic. */
  readonly parts?: { readonly of: MetricPart; readonly as: "sum" | "max" | "busiest" };
  /** The top of the scale, where it does not follow the figures. */
  readonly ceiling?: number;
  /** Shown only where something of it was other than zero. */
  readonly isRare?: true;
}

const line = <Name extends string>(name: Name, label: Text, token: LineToken): ChartSeries<Name> => ({
  name,
  label,
  token,
});

/** Disks: VMs and hosts have the same. */
const DISK = [
  {
    id: "disk",
    title: "monitoring.disk",
    unit: "bytes/s",
    parts: { of: "disk", as: "sum" },
    series: [
      line("disk_read_bytes", "monitoring.read", "read"),
      line("disk_write_bytes", "monitoring.written", "write"),
    ],
  },
  {
    id: "disk-ops",
    title: "monitoring.disk_ops",
    unit: "1/s",
    parts: { of: "disk", as: "sum" },
    series: [
      line("disk_read_ops", "monitoring.read", "read"),
      line("disk_write_ops", "monitoring.written", "write"),
    ],
  },
  {
    id: "disk-latency",
    title: "monitoring.disk_latency",
    unit: "ms",
    parts: { of: "disk", as: "max" },
    series: [
      line("disk_read_latency", "monitoring.read", "read"),
      line("disk_write_latency", "monitoring.written", "write"),
    ],
  },
] as const satisfies readonly Chart[];

const nic = (as: "sum" | "busiest") =>
  [
    {
      id: "network",
      title: "monitoring.network",
      unit: "bytes/s",
      parts: { of: "nic", as },
      series: [
        line("nic_rx_bytes", "monitoring.in", "rx"),
        line("nic_tx_bytes", "monitoring.out", "tx"),
      ],
    },
    {
      id: "network-loss",
      title: "monitoring.loss",
      unit: "1/s",
      parts: { of: "nic", as },
      isRare: true,
      series: [
        line("nic_rx_drops", "monitoring.drops_in", "rx"),
        line("nic_tx_drops", "monitoring.drops_out", "tx"),
        line("nic_rx_errors", "monitoring.errors_in", "write"),
        line("nic_tx_errors", "monitoring.errors_out", "memory"),
      ],
    },
  ] as const satisfies readonly Chart[];

/** Graphs of a VM, in the order of its page. */
export const VM_CHARTS: readonly Chart<VmSeriesName>[] = [
  {
    id: "cpu",
    title: "monitoring.cpu",
    unit: "percent",
    ceiling: 100,
    series: [
      line("cpu_usage", "monitoring.used", "cpu"),
      line("cpu_steal", "monitoring.steal", "write"),
    ],
  },
  {
    id: "memory",
    title: "monitoring.memory",
    unit: "bytes",
    series: [
      line("memory_used", "monitoring.used", "memory"),
      line("memory_balloon", "monitoring.assigned", "read"),
      line("memory_rss", "monitoring.rss", "tx"),
      line("guest_memory_used", "monitoring.guest_memory", "cpu"),
    ],
  },
  ...DISK,
  {
    id: "filesystems",
    title: "monitoring.filesystems",
    unit: "bytes",
    isRare: true,
    parts: { of: "filesystem", as: "sum" },
    series: [
      line("filesystem_used", "monitoring.used", "memory"),
      line("filesystem_size", "monitoring.size", "read"),
    ],
  },
  ...nic("sum"),
];

/** Graphs of a host. Its cards are not added up: a bridge counts what its card counts, too. */
export const HOST_CHARTS: readonly Chart<HostSeriesName>[] = [
  {
    id: "cpu",
    title: "monitoring.cpu",
    unit: "percent",
    ceiling: 100,
    series: [
      line("cpu_usage", "monitoring.used", "cpu"),
      line("cpu_iowait", "monitoring.iowait", "read"),
      line("cpu_steal", "monitoring.stolen", "write"),
    ],
  },
  {
    id: "memory",
    title: "monitoring.memory",
    unit: "bytes",
    series: [
      line("memory_used", "monitoring.used", "memory"),
      line("memory_total", "monitoring.total", "read"),
      line("swap_used", "monitoring.swap", "write"),
    ],
  },
  {
    id: "load",
    title: "monitoring.load",
    unit: "count",
    series: [
      line("load_1", "monitoring.load_1", "cpu"),
      line("load_5", "monitoring.load_5", "read"),
      line("load_15", "monitoring.load_15", "memory"),
    ],
  },
  {
    id: "pressure",
    title: "monitoring.pressure",
    unit: "percent",
    series: [
      line("pressure_cpu_some", "monitoring.cpu", "cpu"),
      line("pressure_memory_some", "monitoring.memory", "memory"),
      line("pressure_io_some", "monitoring.io", "write"),
    ],
  },
  ...DISK,
  {
    id: "disk-busy",
    title: "monitoring.disk_busy",
    unit: "percent",
    ceiling: 100,
    parts: { of: "disk", as: "max" },
    series: [line("disk_busy", "monitoring.busy", "read")],
  },
  ...nic("busiest"),
  {
    id: "temperature",
    title: "monitoring.temperature",
    unit: "celsius",
    isRare: true,
    parts: { of: "sensor", as: "max" },
    series: [line("temperature", "monitoring.hottest", "write")],
  },
  {
    id: "vms",
    title: "monitoring.vms",
    unit: "count",
    series: [line("vms_running", "monitoring.running", "rx")],
  },
];

const compared = (
  id: string,
  title: Text,
  unit: MetricUnit,
  name: VmSeriesName & HostSeriesName,
  more: Pick<Chart, "parts" | "ceiling"> = {},
): Chart<VmSeriesName & HostSeriesName> => ({
  id,
  title,
  unit,
  ...more,
  series: [line(name, title, "cpu")],
});

/** Charts that several VMs, and their host, can be compared by: one figure of each. */
export const COMPARED: readonly Chart<VmSeriesName & HostSeriesName>[] = [
  compared("cpu", "monitoring.cpu", "percent", "cpu_usage", { ceiling: 100 }),
  compared("memory", "monitoring.memory", "bytes", "memory_used"),
  compared("disk-read", "monitoring.disk_read", "bytes/s", "disk_read_bytes", {
    parts: { of: "disk", as: "sum" },
  }),
  compared("disk-write", "monitoring.disk_write", "bytes/s", "disk_write_bytes", {
    parts: { of: "disk", as: "sum" },
  }),
  compared("write-latency", "monitoring.write_latency", "ms", "disk_write_latency", {
    parts: { of: "disk", as: "max" },
  }),
  compared("network-in", "monitoring.net_in", "bytes/s", "nic_rx_bytes", { parts: { of: "nic", as: "sum" } }),
  compared("network-out", "monitoring.net_out", "bytes/s", "nic_tx_bytes", {
    parts: { of: "nic", as: "sum" },
  }),
];

/** Such a chart for the host's line: its cards are not added up, for a bridge counts what its card counts, too. */
export const ofHost = (chart: Chart): Chart =>
  chart.parts?.of === "nic" ? { ...chart, parts: { of: "nic", as: "max" } } : chart;

/** Every series of some charts, each once: what a page asks for. */
export function seriesNames<Name extends string>(charts: readonly Chart<Name>[]): Name[] {
  return [...new Set(charts.flatMap(({ series }) => series.map(({ name }) => name)))];
}
