/**
 * Every series of figures that is kept, as one table: what it is about, its unit, and how it is taken. Commands, store,
 * pages, alerts and exports read it; a new series is a row here and where its figure is taken (`agent/metrics/`).
 */

/** Units of figures. Shares are 0–100; `bytes/s` and `1/s` are means since the reading before. */
export const METRIC_UNITS = ["percent", "bytes", "bytes/s", "1/s", "ms", "celsius", "count"] as const;
export type MetricUnit = typeof METRIC_UNITS[number];

/** Parts that a series can be split by; its label is the part's name. */
export const METRIC_PARTS = ["vcpu", "disk", "nic", "pool", "sensor", "filesystem"] as const;
export type MetricPart = typeof METRIC_PARTS[number];

/** A series. */
export interface MetricSeries {
  readonly unit: MetricUnit;
  /** gauge: the figure as it was then. rate: from a counter, what it rose by since the reading before. */
  readonly kind: "gauge" | "rate";
  /** Part that it is split by; missing: one for the whole VM or host. */
  readonly of?: MetricPart;
}

const gauge = (unit: MetricUnit, of?: MetricPart) =>
  ({ unit, kind: "gauge", ...(of && { of }) }) as MetricSeries;
const rate = (unit: MetricUnit, of?: MetricPart) =>
  ({ unit, kind: "rate", ...(of && { of }) }) as MetricSeries;

/** Traffic of disks and of network cards: VMs and hosts have the same. */
const TRAFFIC = {
  disk_read_bytes: rate("bytes/s", "disk"),
  disk_write_bytes: rate("bytes/s", "disk"),
  disk_read_ops: rate("1/s", "disk"),
  disk_write_ops: rate("1/s", "disk"),
  /** Mean time of the operations that ended since the reading before; unknown where none did. */
  disk_read_latency: rate("ms", "disk"),
  disk_write_latency: rate("ms", "disk"),
  nic_rx_bytes: rate("bytes/s", "nic"),
  nic_tx_bytes: rate("bytes/s", "nic"),
  nic_rx_packets: rate("1/s", "nic"),
  nic_tx_packets: rate("1/s", "nic"),
  nic_rx_drops: rate("1/s", "nic"),
  nic_tx_drops: rate("1/s", "nic"),
  nic_rx_errors: rate("1/s", "nic"),
  nic_tx_errors: rate("1/s", "nic"),
} as const satisfies Record<string, MetricSeries>;

/** Series of a VM. */
export const VM_SERIES = {
  /** Share of all its vCPUs. */
  cpu_usage: rate("percent"),
  /** Share of the time in which its vCPUs were ready, and the host ran something else. */
  cpu_steal: rate("percent"),
  vcpu_usage: rate("percent", "vcpu"),
  vcpu_steal: rate("percent", "vcpu"),
  /** Memory used in the guest if its balloon driver reports it; else resident memory of QEMU. */
  memory_used: gauge("bytes"),
  /** Present memory of the VM. */
  memory_balloon: gauge("bytes"),
  /** Host memory that QEMU holds. */
  memory_rss: gauge("bytes"),
  /** The guest's own view: all of it, what is free, what could be freed. */
  memory_guest_total: gauge("bytes"),
  memory_guest_free: gauge("bytes"),
  memory_guest_usable: gauge("bytes"),
  memory_swap_in: rate("bytes/s"),
  memory_swap_out: rate("bytes/s"),
  memory_major_faults: rate("1/s"),
  ...TRAFFIC,
  /** Bytes that its image takes up, by its own count and on the host; and what the guest sees as its size. */
  disk_allocation: gauge("bytes", "disk"),
  disk_physical: gauge("bytes", "disk"),
  disk_capacity: gauge("bytes", "disk"),
  /** Reported by its agent, at a slower pace: file systems by mount point, memory without caches, … */
  filesystem_used: gauge("bytes", "filesystem"),
  filesystem_size: gauge("bytes", "filesystem"),
  guest_memory_used: gauge("bytes"),
  guest_swap_used: gauge("bytes"),
  guest_services_failed: gauge("count"),
  guest_updates: gauge("count"),
} as const satisfies Record<string, MetricSeries>;
export type VmSeriesName = keyof typeof VM_SERIES;

/** Series of a host. */
export const HOST_SERIES = {
  /** Shares of all its threads. Waiting for disks counts as idle. */
  cpu_usage: rate("percent"),
  cpu_iowait: rate("percent"),
  /** Time taken by a hypervisor below this host. */
  cpu_steal: rate("percent"),
  memory_used: gauge("bytes"),
  memory_total: gauge("bytes"),
  swap_used: gauge("bytes"),
  swap_total: gauge("bytes"),
  load_1: gauge("count"),
  load_5: gauge("count"),
  load_15: gauge("count"),
  vms_running: gauge("count"),
  ...TRAFFIC,
  /** Share of the time in which it had something to do. */
  disk_busy: rate("percent", "disk"),
  pool_used: gauge("bytes", "pool"),
  pool_capacity: gauge("bytes", "pool"),
  temperature: gauge("celsius", "sensor"),
  /** Pressure (PSI): share of the time in which some or all that could run waited. */
  pressure_cpu_some: rate("percent"),
  pressure_memory_some: rate("percent"),
  pressure_memory_full: rate("percent"),
  pressure_io_some: rate("percent"),
  pressure_io_full: rate("percent"),
} as const satisfies Record<string, MetricSeries>;
export type HostSeriesName = keyof typeof HOST_SERIES;

export const VM_SERIES_NAMES = Object.keys(VM_SERIES) as VmSeriesName[];
export const HOST_SERIES_NAMES = Object.keys(HOST_SERIES) as HostSeriesName[];

/** Characters of a label that are kept: labels come from guests' devices, pools and sensors. */
export const MOST_LABEL = 64;
