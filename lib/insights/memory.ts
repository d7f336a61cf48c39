/** Rules on the memory of VMs. They need the guest's own view: what QEMU holds says nothing of what is used. Pure. */
import { type FoundProblem, percent, type Rule, summaryOf, type VmInsightFacts } from "./facts.ts";
import { formatBytes, formatMemory } from "../text/quantity.ts";
import { MIB } from "../text/byte_units.ts";

/** MiB: sizes are whole steps, and none is made smaller than the least. */
const STEP = 256, LEAST = 512;
/** Percent of the memory that is used at most: below it is too large; for 95 % of the time: above it is too small. */
const LEVELS = { idle: 40, full: 90, squeezed: 85 } as const;
/** The highest use times this is enough. */
const ROOM = 1.5;
/** Percent of what a VM may have: below it the balloon holds memory back. */
const WHOLE = 95;
/** Share of the host's memory that one VM may have. */
const OF_HOST = 0.9;

const stepsUp = (mib: number) => Math.ceil(mib / STEP) * STEP;

/** Use and size as the guest sees them; undefined where it does not tell. */
function guestView({ series }: VmInsightFacts) {
  const used = summaryOf(series, "memory_used"), total = summaryOf(series, "memory_guest_total");
  const usable = summaryOf(series, "memory_guest_usable") ?? summaryOf(series, "memory_guest_free");
  if (usable === undefined || !used || !total || used.p95 === null || used.max === null || !total.avg) {
    return undefined;
  }
  return {
    p95: used.p95 / total.avg * 100,
    max: used.max / total.avg * 100,
    usedMib: used.max / MIB,
    p95Bytes: used.p95,
    maxBytes: used.max,
  };
}

/** Whether the balloon holds back memory that the VM could have. */
const isSqueezed = ({ vm }: VmInsightFacts) => vm.memoryMb * 100 < vm.maxMemoryMb * WHOLE;

function tooMuch(facts: VmInsightFacts): FoundProblem[] {
  const view = guestView(facts), { vm } = facts;
  if (view === undefined || view.max >= LEVELS.idle || isSqueezed(facts)) return [];
  const next = Math.max(LEAST, stepsUp(view.usedMib * ROOM));
  if (next >= vm.memoryMb) return [];
  return [{
    severity: "info",
    vars: {
      max: percent(view.max),
      used: formatBytes(view.maxBytes),
      now: formatMemory(vm.memoryMb),
      next: formatMemory(next),
    },
    series: ["memory_used", "memory_guest_total"],
    apply: { memory: { currentMb: next, maxMb: next } },
  }];
}

function tooLittle(facts: VmInsightFacts): FoundProblem[] {
  const view = guestView(facts), { vm, host } = facts;
  if (view === undefined || view.p95 < LEVELS.full || isSqueezed(facts)) return [];
  const swapped = summaryOf(facts.series, "memory_swap_in");
  const next = stepsUp(vm.memoryMb * ROOM), fits = next <= host.memoryMb * OF_HOST;
  return [{
    severity: (swapped?.p90 ?? 0) > 0 ? "critical" : "warning",
    vars: {
      p95: percent(view.p95),
      used: formatBytes(view.p95Bytes),
      now: formatMemory(vm.memoryMb),
      next: formatMemory(next),
    },
    series: ["memory_used", "memory_guest_total", "memory_swap_in"],
    ...(fits && { apply: { memory: { currentMb: next, maxMb: Math.max(next, vm.maxMemoryMb) } } }),
  }];
}

function squeezed(facts: VmInsightFacts): FoundProblem[] {
  const view = guestView(facts), { vm } = facts;
  if (view === undefined || view.p95 < LEVELS.squeezed || !isSqueezed(facts)) return [];
  return [{
    severity: "warning",
    vars: {
      p95: percent(view.p95),
      now: formatMemory(vm.memoryMb),
      next: formatMemory(vm.maxMemoryMb),
    },
    series: ["memory_used", "memory_balloon"],
    apply: { memory: { currentMb: vm.maxMemoryMb, maxMb: vm.maxMemoryMb } },
  }];
}

export const MEMORY_RULES: readonly Rule<VmInsightFacts>[] = [
  { id: "memory_oversized", category: "memory", hours: 24, ofLoad: true, find: tooMuch },
  { id: "memory_undersized", category: "memory", ofLoad: true, find: tooLittle },
  { id: "balloon_pressure", category: "memory", ofLoad: true, find: squeezed },
];
