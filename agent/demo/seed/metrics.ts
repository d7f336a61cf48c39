/** A month of figures of the demo's VMs and hosts, in the metrics' own store. */
import { join } from "node:path";
import type { HostSeriesName, VmSeriesName } from "../../../lib/contract/metric_series.ts";
import { DAY_S, floorTo, HOUR_S, RESOLUTIONS } from "../../../lib/metrics/resolutions.ts";
import type { Points } from "../../../lib/metrics/points.ts";
import { GIB, KIB } from "../../../lib/text/byte_units.ts";
import { MetricDatabase } from "../../metrics/metric_database.ts";
import type { StoredSeries, SubjectSeries } from "../../metrics/series.ts";
import { METRICS_FILE, openMetrics } from "../../metrics/metric_file.ts";
import { fractionAt } from "../world/chance.ts";
import { DEMO_HOSTS, type DemoHost } from "../world/hosts.ts";
import { type HostFigures, hostFiguresOf } from "../world/host_figures.ts";
import { hostLoadOf, type LoadNow, simulatedLoad, usedOf } from "../world/load.ts";
import { diskTargetOf, idOf, macOf } from "../world/node_xml.ts";
import { type DemoSystem, SYSTEMS } from "../world/systems.ts";
import { DEMO_VMS, type DemoVm } from "../world/vms.ts";
import type { Seeding } from "./moment.ts";

/** How far back each resolution goes: seconds; and seconds from one raw figure to the next. */
const SPANS = { "raw": HOUR_S, "1m": 26 * HOUR_S, "15m": 8 * DAY_S, "1h": 31 * DAY_S } as const;
const RAW_STEP = 30;
/** Seconds after the start until a rate is known of two readings: up to then the past goes on. */
const START_S = 90;
const PERCENT = 100;
/** Bytes of a packet and of an operation on a disk. */
const PACKET = 900, OPERATION = 24 * KIB;

type Row<N extends string, L = LoadNow> = readonly [
  name: N,
  label: string,
  value: (load: L, time: number) => number,
];

/** The series of a VM, from its load. @param now seconds since 1970 */
function vmRows(vm: DemoVm, now: number): Row<VmSeriesName>[] {
  const { memoryGib, disks, networks } = vm, system: DemoSystem = SYSTEMS[vm.system];
  const all = memoryGib * GIB,
    part = (index: number, count: number, first: number) =>
      count === 1 ? 1 : index === 0 ? first : (1 - first) / (count - 1);
  return [
    ["cpu_usage", "", ({ cpu }) => cpu * PERCENT],
    ["cpu_steal", "", ({ cpu }) => cpu * 0.4],
    ["memory_used", "", ({ memoryUsed }) => memoryUsed],
    ["memory_balloon", "", () => all],
    ["memory_rss", "", ({ memoryUsed }) => Math.min(all, memoryUsed * 1.08)],
    ["memory_guest_total", "", () => all * 0.985],
    ["memory_guest_usable", "", ({ memoryUsed }) => all * 0.985 - memoryUsed],
    ...disks.flatMap((disk, index): Row<VmSeriesName>[] => {
      const label = diskTargetOf(index), of = part(index, disks.length, 0.25);
      return [
        ["disk_read_bytes", label, ({ read }) => read * of],
        ["disk_write_bytes", label, ({ written }) => written * of],
        ["disk_read_ops", label, ({ read }) => read * of / OPERATION],
        ["disk_write_ops", label, ({ written }) => written * of / OPERATION],
        ["disk_read_latency", label, ({ cpu }) => 0.25 + cpu * 0.4],
        ["disk_write_latency", label, ({ cpu }) => 0.6 + cpu * 0.9],
        ["disk_allocation", label, (_load, time) => usedOf(disk, time, now)],
        ["disk_capacity", label, () => disk.gib * GIB],
      ];
    }),
    ...networks.flatMap((_network, index): Row<VmSeriesName>[] => {
      const label = macOf(vm, index), of = part(index, networks.length, 0.7);
      return [
        ["nic_rx_bytes", label, ({ received }) => received * of],
        ["nic_tx_bytes", label, ({ sent }) => sent * of],
        ["nic_rx_packets", label, ({ received }) => received * of / PACKET],
        ["nic_tx_packets", label, ({ sent }) => sent * of / PACKET],
      ];
    }),
    ...(vm.agent ? filesystemRows(vm, system, now) : []),
  ];
}

function filesystemRows({ disks }: DemoVm, system: DemoSystem, now: number): Row<VmSeriesName>[] {
  const [first, second] = disks, [[root, , share] = ["/", "", 0.94]] = system.filesystems;
  const rows = (label: string, disk: typeof first, size: number): Row<VmSeriesName>[] =>
    disk === undefined ? [] : [
      ["filesystem_used", label, (_load, time) => usedOf(disk, time, now)],
      ["filesystem_size", label, () => size * GIB],
    ];
  const other = system.family === "windows" ? "D:\\" : "/srv";
  return [
    ...rows(root, first, (first?.gib ?? 0) * share),
    ...rows(other, second, (second?.gib ?? 0) * 0.99),
  ];
}

/** Figures of some times. @param spread share of the mean that least and greatest are away from it; 0: one reading each */
function pointsOf(
  times: readonly number[],
  value: (time: number) => number,
  name: string,
  spread: number,
): Points {
  const avg = times.map(value);
  if (spread === 0) return { times, avg };
  const of = (sign: number) => {
    const chance = `${name} ${sign}`;
    return avg.map((each, index) =>
      Math.max(0, each * (1 + sign * spread * fractionAt(chance, times[index]!)))
    );
  };
  return {
    times,
    avg,
    min: of(-1),
    max: of(1).map((each) => name.startsWith("cpu_") ? Math.min(PERCENT, each) : each),
  };
}

/** Levels do not jump as loads do. */
const isSteady = (name: string) => /^(memory|disk_allocation|disk_capacity|filesystem|pool)/.test(name);

/** The series of a resolution. Loads of a time are made once for all series. */
function seriesOf<L>(
  rows: readonly Row<string, L>[],
  loads: ReadonlyMap<number, L>,
  isRaw: boolean,
): StoredSeries[] {
  const times = [...loads.keys()];
  return rows.map(([name, label, value]) => ({
    name,
    label,
    points: pointsOf(
      times,
      (time) => value(loads.get(time)!, time),
      `${name} ${label}`,
      isRaw ? 0 : isSteady(name) ? 0.01 : 0.3,
    ),
  }));
}

/** Times of a resolution up to now; a VM that is off has none since it is. */
function timesOf(name: keyof typeof SPANS, step: number, now: number, since: number): number[] {
  const end = floorTo(now + (name === "raw" ? START_S : 0), step), from = Math.max(end - SPANS[name], since);
  const count = Math.max(0, Math.floor((end - from) / step));
  return Array.from({ length: count }, (_, index) => end - (count - index) * step);
}

const isOff = (state: DemoVm["state"]) => state === "stopped" || state === "suspended";

/** A load of a host, with the figures that hosts alone have. */
interface HostAt extends LoadNow {
  readonly running: number;
  readonly figures: HostFigures;
}

function hostRows(host: DemoHost, now: number): Row<HostSeriesName, HostAt>[] {
  const pools = host.pools.flatMap(
    ({ name, capacityGib, otherGib, media = [] }): Row<HostSeriesName, HostAt>[] => {
      const disks = DEMO_VMS.filter((vm) => vm.host === host.id).flatMap((vm) => vm.disks)
        .filter(({ pool }) => pool === name);
      const fixed = otherGib * GIB + media.reduce((sum, [, mib]) => sum + mib * KIB * KIB, 0);
      const used = (time: number) => fixed + disks.reduce((sum, disk) => sum + usedOf(disk, time, now), 0);
      return [
        ["pool_used", name, (_load, time) => used(time)],
        ["pool_capacity", name, () => capacityGib * GIB],
      ];
    },
  );
  const disk = "nvme0n1", card = "eno1";
  return [
    ["cpu_usage", "", ({ cpu }) => cpu * PERCENT],
    ["cpu_iowait", "", () => 0.6],
    ["memory_used", "", ({ memoryUsed }) => memoryUsed],
    ["memory_total", "", () => host.memoryGib * GIB],
    ["swap_total", "", () => 8 * GIB],
    ["swap_used", "", () => 0.2 * GIB],
    ["vms_running", "", ({ running }) => running],
    ["load_1", "", ({ figures }) => figures.load],
    ["load_5", "", ({ figures }) => figures.load * 0.95],
    ["load_15", "", ({ figures }) => figures.load * 0.91],
    ["pressure_cpu_some", "", ({ figures }) => figures.pressureCpu * PERCENT],
    ["pressure_io_some", "", ({ figures }) => figures.pressureIo * PERCENT],
    ["pressure_memory_some", "", () => 0],
    ["disk_read_bytes", disk, ({ read }) => read],
    ["disk_write_bytes", disk, ({ written }) => written],
    ["disk_read_ops", disk, ({ read }) => read / OPERATION],
    ["disk_write_ops", disk, ({ written }) => written / OPERATION],
    ["disk_read_latency", disk, () => 0.18],
    ["disk_write_latency", disk, () => 0.41],
    ["disk_busy", disk, ({ figures }) => figures.busy * PERCENT],
    ["nic_rx_bytes", card, ({ received }) => received],
    ["nic_tx_bytes", card, ({ sent }) => sent],
    ["temperature", "CPU Package", ({ figures }) => figures.temperature],
    ...pools,
  ];
}

function hostAt(host: DemoHost, time: number): HostAt {
  const { cpu, memoryUsed, running } = hostLoadOf(host, time), figures = hostFiguresOf(host, time);
  const { read, written, received, sent } = figures;
  return { cpu, memoryUsed, running, figures, read, written, received, sent };
}

/** Writes them, before the store's worker has the file: what it would be sent are tens of megabytes. */
export function seedMetrics({ dataDir, now }: Seeding): void {
  const file = join(dataDir, METRICS_FILE), store = new MetricDatabase(openMetrics(file), file);
  const seconds = Math.floor(now / 1000), vms = DEMO_VMS.filter(({ state }) => !isOff(state));
  try {
    for (const resolution of RESOLUTIONS) {
      const { name, step: own } = resolution, isRaw = own === 0, step = isRaw ? RAW_STEP : own;
      const ofVms = vms.map((vm): SubjectSeries => {
        const times = timesOf(name, step, seconds, seconds - vm.ageDays * DAY_S);
        const loads = new Map(times.map((time) => [time, simulatedLoad(vm, time + step / 2)]));
        return { host: vm.host, subject: idOf(vm), series: seriesOf(vmRows(vm, seconds), loads, isRaw) };
      });
      const ofHosts = DEMO_HOSTS.map((host): SubjectSeries => {
        const times = timesOf(name, step, seconds, 0);
        const loads = new Map(times.map((time) => [time, hostAt(host, time + step / 2)]));
        return { host: host.id, subject: "", series: seriesOf(hostRows(host, seconds), loads, isRaw) };
      });
      store.take(resolution, [...ofVms, ...ofHosts]);
    }
  } finally {
    store.close();
  }
}
