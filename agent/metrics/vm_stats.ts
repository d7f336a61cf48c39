/** libvirt's counters of a VM → the load a person reads. Pure. */
import type { DomainStats } from "../../ffi/calls/mod.ts";
import type { Params } from "../../ffi/typed_params.ts";
import type { VmStats } from "../../lib/contract/vm.ts";

/** One reading of a VM's counters. */
export interface VmReading {
  readonly params: Params;
  /** Milliseconds, monotonic. */
  readonly at: number;
}

const number = (params: Params, name: string) => typeof params[name] === "number" ? params[name] : undefined;

/** Sums `net.0.rx.bytes`, `net.1.rx.bytes`, … */
function sum(params: Params, group: "net" | "block", counter: string): number {
  const count = number(params, `${group}.count`) ?? 0;
  let total = 0;
  for (let index = 0; index < count; index++) total += number(params, `${group}.${index}.${counter}`) ?? 0;
  return total;
}

/**
 * Share of its vCPUs a VM used between two readings, 0–100. It is null where two readings cannot tell: the first
 * one, a driver that does not count, a VM that restarted in between.
 */
export function cpuPercent(before: VmReading | undefined, now: VmReading, vcpus: number): number | null {
  const used = number(now.params, "cpu.time");
  const earlier = before && number(before.params, "cpu.time");
  if (!before || used === undefined || earlier === undefined || vcpus <= 0) return null;
  const elapsed = (now.at - before.at) * 1e6; // nanoseconds
  if (elapsed <= 0 || used < earlier) return null;
  return Math.round(Math.min(100, (used - earlier) / elapsed / vcpus * 100) * 10) / 10;
}

/** KiB in use: what the guest says where its balloon driver tells, else what QEMU holds of the host's memory. */
export function memoryUsedKib(params: Params): number {
  const available = number(params, "balloon.available");
  const unused = number(params, "balloon.usable") ?? number(params, "balloon.unused");
  const current = number(params, "balloon.current") ?? 0;
  const kib = available !== undefined && unused !== undefined
    ? available - unused
    : Math.min(number(params, "balloon.rss") ?? current, current || Infinity);
  return Math.max(0, kib);
}

/** The same in MiB. */
export function memoryUsedMb(params: Params): number {
  return Math.round(memoryUsedKib(params) / 1024);
}

/** The load of a running VM. */
export function vmStats(
  vmId: string,
  before: VmReading | undefined,
  now: VmReading,
  vcpus: number,
  timestamp: number,
): VmStats {
  const { params } = now;
  return {
    vmId,
    cpuUsagePercent: cpuPercent(before, now, vcpus),
    memoryUsedMb: memoryUsedMb(params),
    memoryAvailableMb: Math.round((number(params, "balloon.current") ?? 0) / 1024),
    diskReadBytes: sum(params, "block", "rd.bytes"),
    diskWriteBytes: sum(params, "block", "wr.bytes"),
    networkRxBytes: sum(params, "net", "rx.bytes"),
    networkTxBytes: sum(params, "net", "tx.bytes"),
    timestamp,
  };
}

/** Statistics of a stopped VM, by the contract. */
export function noStats(vmId: string, timestamp: number): VmStats {
  return {
    vmId,
    cpuUsagePercent: 0,
    memoryUsedMb: 0,
    memoryAvailableMb: 0,
    diskReadBytes: 0,
    diskWriteBytes: 0,
    networkRxBytes: 0,
    networkTxBytes: 0,
    timestamp,
  };
}

/** Whether QEMU was asked for this reading. With NOWAIT libvirt leaves out what only QEMU knows when it is busy. */
export function answered({ params }: DomainStats): boolean {
  return "balloon.rss" in params || "block.0.rd.bytes" in params || "balloon.available" in params;
}
