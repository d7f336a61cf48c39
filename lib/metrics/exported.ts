/**
 * Exported figures and their names, as one table: those of Debian's prometheus-libvirt-exporter and of its forks, so
 * that dashboards and rules made for them go on, and in addition further figures of libvirt. Pure.
 */
import type { LabelSet, MetricFamily, Sample } from "../formats/exposition.ts";
import { labelSet } from "../formats/exposition.ts";
import { numberIn, type Reading } from "./metric_sampler.ts";
import { KIB } from "../text/byte_units.ts";

/** A VM as it is exported. */
export interface ExportedVm {
  readonly name: string;
  readonly id: string;
  /** The host, where it is not the local one. */
  readonly host?: string | undefined;
  /** The number that libvirt has for its state. */
  readonly state: number;
  readonly virtualCpus: number;
  readonly memoryBytes: number;
  readonly maximumMemoryBytes: number;
  /** The last reading; missing where it does not run, or does not answer. */
  readonly reading?: Reading | undefined;
  /** The bridge that a card's device is plugged into. */
  readonly bridgeOf: (device: string) => string | undefined;
}

/** A storage pool as it is exported. */
export interface ExportedPool {
  readonly name: string;
  readonly host?: string | undefined;
  readonly capacity: number;
  readonly allocation: number;
}

/** Names in a reading begin with this; its labels. */
interface ExportedPart {
  readonly labels: LabelSet;
  readonly prefix: string;
  readonly reading: Reading;
}

/** `name`, kind, help, the reading's name, factor. */
type Row = readonly [
  name: string,
  kind: "counter" | "gauge",
  help: string,
  from: string,
  factor?: number,
];

const NS = 1e-9;

const OF_VM: readonly Row[] = [
  ["info_cpu_time_seconds", "counter", "CPU time that the domain used", "cpu.time", NS],
  ["memory_stats_actual_balloon_bytes", "gauge", "Memory that the domain has now", "balloon.current", KIB],
  ["memory_stats_available_bytes", "gauge", "Memory as the guest sees it", "balloon.available", KIB],
  ["memory_stats_unused_bytes", "gauge", "Memory that the guest leaves unused", "balloon.unused", KIB],
  ["memory_stats_usable_bytes", "gauge", "Memory that the guest could free", "balloon.usable", KIB],
  ["memory_stats_disk_cache_bytes", "gauge", "Caches of the guest", "balloon.disk_caches", KIB],
  ["memory_stats_rss_bytes", "gauge", "Memory of the host that QEMU holds", "balloon.rss", KIB],
  ["memory_stats_major_fault", "counter", "Page faults of the guest that read a disk", "balloon.major_fault"],
  ["memory_stats_minor_fault", "counter", "Page faults of the guest that read none", "balloon.minor_fault"],
  [
    "memory_stats_swap_in_bytes",
    "counter",
    "Memory that the guest read from its swap",
    "balloon.swap_in",
    KIB,
  ],
  [
    "memory_stats_swap_out_bytes",
    "counter",
    "Memory that the guest wrote to its swap",
    "balloon.swap_out",
    KIB,
  ],
];

const OF_VCPU: readonly Row[] = [
  ["vcpu_time_seconds", "counter", "CPU time that the vCPU used", "time", NS],
  ["vcpu_delay_seconds", "counter", "Time that the vCPU waited for a CPU of the host", "delay", NS],
  ["vcpu_wait_seconds", "counter", "Time that the vCPU waited for I/O", "wait", NS],
];

const OF_DISK: readonly Row[] = [
  ["block_stats_read_bytes", "counter", "Bytes read from the disk", "rd.bytes"],
  ["block_stats_read_requests", "counter", "Reads from the disk", "rd.reqs"],
  ["block_stats_read_time_seconds", "counter", "Time that reads took", "rd.times", NS],
  ["block_stats_write_bytes", "counter", "Bytes written to the disk", "wr.bytes"],
  ["block_stats_write_requests", "counter", "Writes to the disk", "wr.reqs"],
  ["block_stats_write_time_seconds", "counter", "Time that writes took", "wr.times", NS],
  ["block_stats_flush_requests", "counter", "Flushes of the disk", "fl.reqs"],
  ["block_stats_flush_time_seconds", "counter", "Time that flushes took", "fl.times", NS],
  ["block_stats_allocation", "gauge", "Offset of the highest byte that was written", "allocation"],
  ["block_stats_capacity_bytes", "gauge", "Size of the disk as the guest sees it", "capacity"],
  ["block_stats_physicalsize_bytes", "gauge", "Bytes that the disk takes up on the host", "physical"],
];

const OF_NIC: readonly Row[] = [
  ["interface_stats_receive_bytes", "counter", "Bytes that the card received", "rx.bytes"],
  ["interface_stats_receive_packets", "counter", "Packets that the card received", "rx.pkts"],
  ["interface_stats_receive_errors", "counter", "Errors when receiving", "rx.errs"],
  ["interface_stats_receive_drops", "counter", "Packets dropped when receiving", "rx.drop"],
  ["interface_stats_transmit_bytes", "counter", "Bytes that the card sent", "tx.bytes"],
  ["interface_stats_transmit_packets", "counter", "Packets that the card sent", "tx.pkts"],
  ["interface_stats_transmit_errors", "counter", "Errors when sending", "tx.errs"],
  ["interface_stats_transmit_drops", "counter", "Packets dropped when sending", "tx.drop"],
];

/** Figures of a VM that need no reading. */
const INFO: readonly (readonly [name: string, help: string, of: (vm: ExportedVm) => number])[] = [
  ["info_maximum_memory_bytes", "Most memory that the domain may have", (vm) => vm.maximumMemoryBytes],
  ["info_memory_usage_bytes", "Memory that the domain has", (vm) => vm.memoryBytes],
  ["info_virtual_cpus", "Virtual CPUs of the domain", (vm) => vm.virtualCpus],
  [
    "info_vstate",
    "State of the domain: 1 running, 2 blocked, 3 paused, 4 shutting down, 5 off, 6 crashed, 7 suspended",
    (vm) => vm.state,
  ],
];

/** A guest has no more parts than this, whatever a definition says. */
const MOST_PARTS = 256;

const labelsOf = ({ name, host }: ExportedVm) => ({ domain: name, host });

/** The parts of a VM of one kind. */
function partsOf(
  vm: ExportedVm,
  group: "block" | "net" | "vcpu",
  more: (prefix: string, reading: Reading, index: number) => Record<string, string | undefined>,
): ExportedPart[] {
  const { reading } = vm;
  if (reading === undefined) return [];
  const count = numberIn(reading, group === "vcpu" ? "vcpu.maximum" : `${group}.count`) || 0;
  const seen = new Set<string>();
  return Array.from({ length: Math.min(count, MOST_PARTS) }, (_, index) => {
    const prefix = `${group}.${index}.`;
    return { labels: labelSet({ ...labelsOf(vm), ...more(prefix, reading, index) }), prefix, reading };
  }).filter(({ labels }) => !seen.has(labels.text) && seen.add(labels.text)); // of two alike one counts
}

/** libvirt tells the backing files of a disk next to it; they have no figures of the guest's. */
const text = (value: unknown) => value === undefined ? undefined : String(value);

function* samplesOf(parts: readonly ExportedPart[], from: string, factor: number): Generator<Sample> {
  for (const { labels, prefix, reading } of parts) yield [labels, numberIn(reading, prefix + from) * factor];
}

/** The families of VMs and pools. Names of two VMs of one host differ. */
export function* exportedFamilies(
  vms: readonly ExportedVm[],
  pools: readonly ExportedPool[],
): Generator<MetricFamily> {
  const all = vms.map((vm) => ({ vm, labels: labelSet(labelsOf(vm)) }));
  for (const [name, help, of] of INFO) {
    const samples = all.map(({ vm, labels }): Sample => [labels, of(vm)]);
    yield { name: `libvirt_domain_${name}`, kind: "gauge", help, samples };
  }
  yield {
    name: "libvirt_domain_info_meta",
    kind: "gauge",
    help: "The domain's UUID",
    samples: vms.map((vm) => [labelSet({ ...labelsOf(vm), uuid: vm.id }), 1]),
  };
  const whole = all.flatMap(({ vm: { reading }, labels }) =>
    reading === undefined ? [] : [{ labels, prefix: "", reading }]
  );
  const vcpus = vms.flatMap((vm) =>
    partsOf(vm, "vcpu", (_prefix, _reading, index) => ({ vcpu: String(index) }))
  );
  const disks = vms.flatMap((vm) =>
    partsOf(vm, "block", (prefix, reading) => ({
      source_file: text(reading[`${prefix}path`]) ?? "",
      target_device: text(reading[`${prefix}name`]) ?? "",
    }))
  );
  const nics = vms.flatMap((vm) =>
    partsOf(vm, "net", (prefix, reading) => {
      const device = text(reading[`${prefix}name`]) ?? "";
      return { source_bridge: vm.bridgeOf(device) ?? "", target_device: device };
    })
  );
  for (const [rows, parts] of [[OF_VM, whole], [OF_VCPU, vcpus], [OF_DISK, disks], [OF_NIC, nics]] as const) {
    for (const [name, kind, help, from, factor = 1] of rows) {
      yield { name: `libvirt_domain_${name}`, kind, help, samples: samplesOf(parts, from, factor) };
    }
  }
  const labelled = pools.map((pool) => ({ pool, labels: labelSet({ pool: pool.name, host: pool.host }) }));
  const ofPools = (name: string, help: string, of: (pool: ExportedPool) => number): MetricFamily => ({
    name: `libvirt_pool_info_${name}_bytes`,
    kind: "gauge",
    help,
    samples: labelled.map(({ pool, labels }) => [labels, of(pool)]),
  });
  yield ofPools("capacity", "Size of the storage pool", ({ capacity }) => capacity);
  yield ofPools("allocation", "What of the storage pool is taken", ({ allocation }) => allocation);
  yield ofPools(
    "available",
    "What of the storage pool is free",
    ({ capacity, allocation }) => capacity - allocation,
  );
}
