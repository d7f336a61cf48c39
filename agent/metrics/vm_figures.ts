/** libvirt's statistics of a VM → where each of its series comes from. Pure. */
import type { Params } from "../../ffi/typed_params.ts";
import { MOST_LABEL, type VmSeriesName } from "../../lib/contract/metric_series.ts";
import {
  type FigureSource,
  MetricSampler,
  numberIn,
  type Reading,
  type SourceRow,
  sourcesOf,
} from "../../lib/metrics/metric_sampler.ts";
import { oneLine } from "../../lib/text/text.ts";
import { memoryUsedKib } from "./vm_stats.ts";
import { KIB } from "../../lib/text/byte_units.ts";

/** Disks, cards and vCPUs of a VM of which figures are kept: a VM with more than these must not fill the disk. */
const MOST_PARTS = { disk: 64, nic: 64, vcpu: 256, filesystem: 16 } as const;
/** Nanoseconds of each second → percent. */
const NS_PERCENT = 100 / 1e9;

/** Sources of the figures of series. */
type Rows = Readonly<Partial<Record<VmSeriesName, SourceRow>>>;

const WHOLE: Rows = {
  memory_balloon: ["gauge", "balloon.current", KIB],
  memory_rss: ["gauge", "balloon.rss", KIB],
  memory_guest_total: ["gauge", "balloon.available", KIB],
  memory_guest_free: ["gauge", "balloon.unused", KIB],
  memory_guest_usable: ["gauge", "balloon.usable", KIB],
  memory_swap_in: ["counter", "balloon.swap_in", KIB],
  memory_swap_out: ["counter", "balloon.swap_out", KIB],
  memory_major_faults: ["counter", "balloon.major_fault"],
  guest_memory_used: ["gauge", "guest.memory.used"],
  guest_swap_used: ["gauge", "guest.swap.used"],
  guest_services_failed: ["gauge", "guest.services.failed"],
  guest_updates: ["gauge", "guest.updates"],
};

/** Series from the guest's agent (`lib/guest/figures.ts`). */
const OF_FILESYSTEM: Rows = {
  filesystem_used: ["gauge", "used"],
  filesystem_size: ["gauge", "total"],
};

const OF_DISK: Rows = {
  disk_read_bytes: ["counter", "rd.bytes"],
  disk_write_bytes: ["counter", "wr.bytes"],
  disk_read_ops: ["counter", "rd.reqs"],
  disk_write_ops: ["counter", "wr.reqs"],
  disk_read_latency: ["ratio", "rd.times", 1e-6, "rd.reqs"],
  disk_write_latency: ["ratio", "wr.times", 1e-6, "wr.reqs"],
  disk_allocation: ["gauge", "allocation"],
  disk_physical: ["gauge", "physical"],
  disk_capacity: ["gauge", "capacity"],
};

/** In the order of libvirt's words; a card's counters are those of its end on the host, which libvirt has turned round. */
const OF_NIC: Rows = {
  nic_rx_bytes: ["counter", "rx.bytes"],
  nic_tx_bytes: ["counter", "tx.bytes"],
  nic_rx_packets: ["counter", "rx.pkts"],
  nic_tx_packets: ["counter", "tx.pkts"],
  nic_rx_drops: ["counter", "rx.drop"],
  nic_tx_drops: ["counter", "tx.drop"],
  nic_rx_errors: ["counter", "rx.errs"],
  nic_tx_errors: ["counter", "tx.errs"],
};

const OF_VCPU: Rows = {
  vcpu_usage: ["counter", "time", NS_PERCENT],
  vcpu_steal: ["counter", "delay", NS_PERCENT],
};

/** Lists of sources that VMs have in common, by part: most VMs have the same vCPUs and disks. */
const shared = new Map<Rows, Map<string, readonly FigureSource[]>>();
/** Parts whose lists are kept: names of disks and file systems are whatever somebody called them. */
const MOST_SHARED = 1000;

/** As {@link sourcesOf}, made once for all VMs with such a part. */
function sharedSources(rows: Rows, label = "", part = ""): readonly FigureSource[] {
  const known = shared.getOrInsertComputed(rows, () => new Map()), key = JSON.stringify([label, part]);
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MOST_SHARED) known.clear();
  const made = sourcesOf(rows, label, part);
  known.set(key, made);
  return made;
}

/** Names come from the VM's definition, whoever wrote it. */
const labelOf = (name: unknown) => oneLine(String(name), MOST_LABEL - 1);

/** Names of the parts that a reading has, by their number in it. */
function partsIn(reading: Reading, group: "block" | "net" | "fs", most: number): string[] {
  const count = numberIn(reading, `${group}.count`) || 0;
  return Array.from(
    { length: Math.min(count, most) },
    (_, index) => String(reading[`${group}.${index}.name`] ?? ""),
  );
}

const vcpusIn = (reading: Reading) =>
  Math.min(MOST_PARTS.vcpu, numberIn(reading, "vcpu.maximum") || numberIn(reading, "vcpu.current") || 0);

/** Time that all vCPUs waited for the host, in nanoseconds. */
function totalDelay(reading: Reading): number {
  let sum = NaN;
  for (let index = 0, count = vcpusIn(reading); index < count; index++) {
    const delay = numberIn(reading, `vcpu.${index}.delay`);
    if (!Number.isNaN(delay)) sum = (Number.isNaN(sum) ? 0 : sum) + delay;
  }
  return sum;
}

const memoryUsed = (reading: Reading) => memoryUsedKib(reading as Params);

/** Changes when the VM has other parts than before. */
export function figureLayout(reading: Reading, cpuCount: number): string {
  return [
    cpuCount,
    vcpusIn(reading),
    ...partsIn(reading, "block", MOST_PARTS.disk),
    "",
    ...partsIn(reading, "net", MOST_PARTS.nic),
    "",
    ...partsIn(reading, "fs", MOST_PARTS.filesystem),
  ].join("\n");
}

/**
 * Sources of a VM's series.
 *
 * @param macOf the address of the card with that device on the host: devices change with each start, cards do
 *   not
 */
export function vmSources(
  reading: Reading,
  cpuCount: number,
  macOf: (device: string) => string | undefined,
): FigureSource[] {
  const share = NS_PERCENT / Math.max(1, cpuCount);
  const vcpus = Array.from({ length: vcpusIn(reading) }, (_, index) => index)
    .filter((index) => !Number.isNaN(numberIn(reading, `vcpu.${index}.time`)));
  return [
    { name: "cpu_usage", label: "", kind: "counter", from: "cpu.time", factor: share },
    { name: "cpu_steal", label: "", kind: "counter", from: totalDelay, factor: share },
    { name: "memory_used", label: "", kind: "gauge", from: memoryUsed, factor: KIB },
    ...sharedSources(WHOLE),
    ...vcpus.flatMap((index) => sharedSources(OF_VCPU, String(index), `vcpu.${index}.`)),
    ...partsIn(reading, "block", MOST_PARTS.disk).flatMap((name, index) =>
      sharedSources(OF_DISK, labelOf(name), `block.${index}.`)
    ),
    ...partsIn(reading, "net", MOST_PARTS.nic).flatMap((name, index) => {
      const label = labelOf(macOf(name) ?? name); // no other card has it
      return sharedSources(OF_NIC, "", `net.${index}.`).map((source) => ({ ...source, label }));
    }),
    ...partsIn(reading, "fs", MOST_PARTS.filesystem).flatMap((name, index) =>
      sharedSources(OF_FILESYSTEM, labelOf(name), `fs.${index}.`)
    ),
  ];
}

/** Takes the figures of one VM, whatever parts it has. */
export class VmFigures {
  #layout = "";
  #taker: MetricSampler | undefined;
  #cpuTime = NaN;

  /** Sources of the figures; another list after the parts have changed. */
  get sources(): readonly FigureSource[] {
    return this.#taker?.sources ?? [];
  }

  /** The figures of a reading, one for each of {@link sources}. @param at monotonic milliseconds */
  take(
    reading: Reading,
    at: number,
    mostSeconds: number,
    cpuCount: number,
    macOf: (device: string) => string | undefined,
  ): Float32Array {
    const layout = figureLayout(reading, cpuCount);
    if (!this.#taker || layout !== this.#layout) {
      this.#taker = new MetricSampler(vmSources(reading, cpuCount, macOf));
      this.#layout = layout;
    }
    // QEMU was started again: all its counters were. NIC counters of 32 bits are told from those by this.
    const cpuTime = numberIn(reading, "cpu.time"), hasReset = cpuTime < this.#cpuTime;
    this.#cpuTime = cpuTime;
    return this.#taker.take(reading, at, mostSeconds, hasReset);
  }
}
