/** Rules on the CPU of VMs. Pure. */
import { type FoundProblem, percent, type Rule, summaryOf, type VmInsightFacts } from "./facts.ts";

/** Share of the vCPUs that the highest load should take: what is left is for what was not seen. */
const ROOM = 70;
/** Percent. Below `idle` for 95 % of the time, a VM is larger than it needs; above `full`, smaller. */
const LEVELS = { idle: 20, full: 90, quiet: 60, spike: 95, steal: 10, badSteal: 25 } as const;

function tooMany({ vm, series }: VmInsightFacts): FoundProblem[] {
  const load = summaryOf(series, "cpu_usage");
  if (load?.p95 === undefined || load.p95 === null || load.max === null || load.p95 >= LEVELS.idle) return [];
  const count = Math.max(1, Math.ceil(load.max / 100 * vm.cpuCount / (ROOM / 100)));
  if (count >= vm.cpuCount) return [];
  return [{
    severity: "info",
    vars: { p95: percent(load.p95), max: percent(load.max), now: vm.cpuCount, next: count },
    series: ["cpu_usage"],
    apply: { cpu: { count } },
  }];
}

function tooFew({ vm, series, host }: VmInsightFacts): FoundProblem[] {
  const load = summaryOf(series, "cpu_usage");
  if (load === undefined || load.p95 === null || load.p50 === null || load.p95 < LEVELS.full) return [];
  const count = Math.min(Math.max(vm.cpuCount, host.threads), Math.ceil(vm.cpuCount * 1.5));
  return [{
    severity: load.p50 >= LEVELS.full ? "critical" : "warning",
    vars: { p50: percent(load.p50), p95: percent(load.p95), now: vm.cpuCount, next: count },
    series: ["cpu_usage"],
    ...(count > vm.cpuCount && { apply: { cpu: { count, max: Math.max(count, vm.maxCpuCount) } } }),
  }];
}

function spikes({ series }: VmInsightFacts): FoundProblem[] {
  const load = summaryOf(series, "cpu_usage");
  if (load === undefined || load.p95 === null || load.max === null) return [];
  if (load.p95 >= LEVELS.quiet || load.max < LEVELS.spike) return [];
  return [{
    severity: "info",
    vars: { p95: percent(load.p95), max: percent(load.max) },
    series: ["cpu_usage"],
  }];
}

function steal({ series }: VmInsightFacts): FoundProblem[] {
  const waited = summaryOf(series, "cpu_steal");
  if (waited === undefined || waited.p95 === null || waited.p95 < LEVELS.steal) return [];
  return [{
    severity: waited.p95 >= LEVELS.badSteal ? "critical" : "warning",
    vars: { p95: percent(waited.p95), avg: percent(waited.avg ?? 0) },
    series: ["cpu_steal", "cpu_usage"],
  }];
}

export const CPU_RULES: readonly Rule<VmInsightFacts>[] = [
  { id: "cpu_oversized", category: "cpu", hours: 24, ofLoad: true, find: tooMany },
  { id: "cpu_undersized", category: "cpu", ofLoad: true, find: tooFew },
  { id: "cpu_spikes", category: "cpu", ofLoad: true, find: spikes },
  { id: "cpu_steal", category: "cpu", ofLoad: true, find: steal },
];
