/** Rules on hosts and their storage pools. Pure. */
import { type AnalysedHost, type FoundProblem, percent, type Rule, summaryOf } from "./facts.ts";
import { formatBytes, formatMemory, share } from "../text/quantity.ts";

/** Percent. */
const POOL = { full: 85, bad: 95 } as const, LOAD = { high: 85, bad: 95 } as const;
/** vCPUs of running VMs for each thread; their memory in percent of the host's. */
const OVERCOMMIT = { cpu: 4, memory: 100, badMemory: 150 } as const;
/** Names that are told of what is unused. */
const NAMED = 3;

const fullPools = ({ pools }: AnalysedHost): FoundProblem[] =>
  pools.filter(({ capacity, allocation }) => capacity > 0 && allocation / capacity * 100 >= POOL.full)
    .map(({ name, capacity, allocation }) => ({
      severity: allocation / capacity * 100 >= POOL.bad ? "critical" : "warning",
      about: name,
      vars: {
        pool: name,
        used: percent(share(allocation, capacity)),
        free: formatBytes(capacity - allocation),
        size: formatBytes(capacity),
      },
      series: ["pool_used", "pool_capacity"],
    }));

const unusedVolumes = ({ pools }: AnalysedHost): FoundProblem[] =>
  pools.flatMap(({ name, unused }): FoundProblem[] => {
    if (unused === undefined || unused.names.length === 0) return [];
    const shown = unused.names.slice(0, NAMED).join(", ");
    return [{
      severity: "info",
      about: name,
      vars: {
        pool: name,
        n: unused.names.length,
        size: formatBytes(unused.bytes),
        names: unused.names.length > NAMED ? `${shown}, …` : shown,
      },
      series: ["pool_used"],
    }];
  });

function busyCpu({ series }: AnalysedHost): FoundProblem[] {
  const load = summaryOf(series, "cpu_usage");
  if (load === undefined || load.p95 === null || load.p95 < LOAD.high) return [];
  return [{
    severity: load.p95 >= LOAD.bad ? "critical" : "warning",
    vars: { p95: percent(load.p95), p50: percent(load.p50 ?? 0) },
    series: ["cpu_usage", "load_5"],
  }];
}

function fullMemory({ series, memoryMb }: AnalysedHost): FoundProblem[] {
  const used = summaryOf(series, "memory_used");
  const full = memoryMb === 0 || used?.p95 === undefined || used.p95 === null
    ? 0
    : used.p95 / (memoryMb * 2 ** 20) * 100;
  if (full < LOAD.high) return [];
  return [{
    severity: full >= LOAD.bad ? "critical" : "warning",
    vars: { p95: percent(full), size: formatMemory(memoryMb) },
    series: ["memory_used", "memory_total", "swap_used"],
  }];
}

function overcommittedCpu({ runningCpus, threads }: AnalysedHost): FoundProblem[] {
  if (threads === 0 || runningCpus / threads <= OVERCOMMIT.cpu) return [];
  return [{ severity: "info", vars: { cpus: runningCpus, threads }, series: ["cpu_usage"] }];
}

function overcommittedMemory({ runningMemoryMb, memoryMb }: AnalysedHost): FoundProblem[] {
  const taken = memoryMb === 0 ? 0 : runningMemoryMb / memoryMb * 100;
  if (taken <= OVERCOMMIT.memory) return [];
  return [{
    severity: taken > OVERCOMMIT.badMemory ? "critical" : "warning",
    vars: { taken: percent(taken), vms: formatMemory(runningMemoryMb), size: formatMemory(memoryMb) },
    series: ["memory_used", "swap_used"],
  }];
}

export const HOST_RULES: readonly Rule<AnalysedHost>[] = [
  { id: "pool_full", category: "disk", find: fullPools },
  { id: "volumes_unused", category: "disk", find: unusedVolumes },
  { id: "host_cpu", category: "cpu", ofLoad: true, find: busyCpu },
  { id: "host_memory", category: "memory", ofLoad: true, find: fullMemory },
  { id: "host_cpu_overcommit", category: "cpu", find: overcommittedCpu },
  { id: "host_memory_overcommit", category: "memory", find: overcommittedMemory },
];
