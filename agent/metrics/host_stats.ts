/** The host's load, from libvirt's counters. Pure. */
import type { NodeCounters } from "../../ffi/calls/mod.ts";
import type { HostStats } from "../../lib/contract/host.ts";
import type { LocalLoad } from "../machine/local.ts";

/** Share of the host's threads in use between two readings, 0–100; null with one alone. Waiting for disks is idle. */
export function hostCpuPercent(before: NodeCounters | undefined, now: NodeCounters): number | null {
  if (!before) return null;
  const change = (name: string) => (now.cpu[name] ?? 0) - (before.cpu[name] ?? 0);
  const busy = change("user") + change("kernel");
  const all = busy + change("idle") + change("iowait");
  return all > 0 ? Math.round(Math.max(0, Math.min(100, busy / all * 100)) * 10) / 10 : null;
}

/** MiB of memory: all, and what is neither free nor a cache that can be dropped (null: the driver does not tell). */
export function hostMemory({ memory }: NodeCounters): { totalMb: number; usedMb: number | null } {
  const { total } = memory;
  if (memory.free === undefined) return { totalMb: Math.round(total / 1024), usedMb: null };
  const free = memory.free + (memory.cached ?? 0) + (memory.buffers ?? 0);
  return { totalMb: Math.round(total / 1024), usedMb: Math.round(Math.max(0, total - free) / 1024) };
}

/** The host's load. `timestamp` in milliseconds since 1970. */
export function hostStats(
  before: NodeCounters | undefined,
  now: NodeCounters,
  local: LocalLoad,
  timestamp: number,
): HostStats {
  const { totalMb, usedMb } = hostMemory(now);
  return {
    cpuUsagePercent: hostCpuPercent(before, now),
    memoryTotalMb: totalMb,
    memoryUsedMb: usedMb,
    ...local,
    timestamp,
  };
}
