/** Rules over facts → findings, and findings as texts. Pure. */
import {
  type Insight,
  INSIGHT_SEVERITIES,
  type InsightCategory,
  type InsightChange,
} from "../contract/insights.ts";
import { VM_SERIES } from "../contract/metric_series.ts";
import { insights as texts } from "../i18n/en/insights.ts";
import { textsOf } from "../i18n/mod.ts";
import { backupRules } from "./backups.ts";
import { CPU_RULES } from "./cpu.ts";
import { deviceRules } from "./devices.ts";
import {
  type AnalysedHost,
  ENOUGH,
  type FoundProblem,
  type InsightSummary,
  isActiveVm,
  type Rule,
  type VmInsightFacts,
} from "./facts.ts";
import { HOST_RULES } from "./host.ts";
import { MEMORY_RULES } from "./memory.ts";
import { snapshotRules } from "./snapshots.ts";

const { t } = textsOf(texts);

/** A finding before it is put into words: those are of who asks. */
export interface RuleFinding extends FoundProblem {
  readonly rule: string;
  readonly category: InsightCategory;
  readonly vm?: { readonly id: string; readonly name: string; readonly waits: boolean };
  readonly undo?: FoundProblem["apply"];
}

/** Whether there are figures enough to judge the load. */
export function isEnough(coverage: number): boolean {
  return coverage >= ENOUGH.coverage;
}

/** The share of the range in which the CPU's load is known, 0–1: it is whenever anything is. */
export function coverageOf(series: readonly InsightSummary[]): number {
  const load = series.find(({ name, label }) => name === "cpu_usage" && label === undefined);
  return load === undefined || load.points < ENOUGH.points ? 0 : load.coverage;
}

function* found<F extends { readonly hours: number; readonly series: readonly InsightSummary[] }>(
  rules: readonly Rule<F>[],
  facts: F,
): Generator<RuleFinding> {
  const knows = isEnough(coverageOf(facts.series));
  for (const { id, category, hours = 0, ofLoad, find } of rules) {
    if (facts.hours < hours || (ofLoad && !knows)) continue;
    for (const each of find(facts)) yield { ...each, rule: id, category };
  }
}

/** Input of update_vm that reverts a change. */
function undoOf(
  { vm }: VmInsightFacts,
  { cpu, memory }: NonNullable<FoundProblem["apply"]>,
): NonNullable<FoundProblem["apply"]> {
  return {
    ...(cpu && { cpu: { count: vm.cpuCount, ...(cpu.max !== undefined && { max: vm.maxCpuCount }) } }),
    ...(memory && { memory: { currentMb: vm.memoryMb, maxMb: vm.maxMemoryMb } }),
  };
}

/** Findings about a VM. @param now milliseconds since 1970 */
export function analyseVm(facts: VmInsightFacts, now: () => number): RuleFinding[] {
  const { id, name, persistent, pendingChanges = 0 } = facts.vm;
  const vm = { id, name, waits: isActiveVm(facts.vm) && pendingChanges > 0 };
  return [
    ...found(
      [...CPU_RULES, ...MEMORY_RULES, ...deviceRules(now), ...backupRules(now), ...snapshotRules(now)],
      facts,
    ),
  ].map(
    (each) => {
      const { apply, ...rest } = each;
      // What waits for the next start already may be the very change
      if (apply === undefined || vm.waits || !persistent) return { ...rest, vm };
      return { ...rest, vm, apply, undo: undoOf(facts, apply) };
    },
  );
}

/** Findings about a host. */
export function analyseHost(facts: AnalysedHost): RuleFinding[] {
  return [...found(HOST_RULES, facts)];
}

type Part = "title" | "seen" | "why" | "advice" | "change";

/** The text of a rule's part. A test holds that each has its own. */
function wordsOf({ rule, vars }: RuleFinding, part: Part): string {
  return t(`insights.${rule}.${part}` as "insights.agent_missing.title", ...[vars] as unknown as []);
}

/**
 * A finding in words.
 *
 * @param host the field of a host that is not the local one
 * @param mayApply whether who asks may change the VM
 */
export function insightOf(
  finding: RuleFinding,
  host: { readonly host?: string },
  mayApply: (vmId: string) => boolean,
): Insight {
  const { rule, category, severity, about, vm, series = [], apply, undo } = finding;
  const change = (fields: NonNullable<FoundProblem["apply"]>): InsightChange => ({
    command: "update_vm",
    input: { vmId: vm!.id, ...fields, nextBootOnly: true },
  });
  return {
    id: [rule, vm?.id ?? host.host ?? "", about ?? ""].join(":"),
    category,
    severity,
    ...host,
    ...(vm && { vmId: vm.id, vmName: vm.name }),
    ...(about !== undefined && { about }),
    title: wordsOf(finding, "title"),
    seen: wordsOf(finding, "seen"),
    why: wordsOf(finding, "why"),
    advice: vm?.waits ? `${wordsOf(finding, "advice")} ${t("insights.waits")}` : wordsOf(finding, "advice"),
    ...(apply && { change: wordsOf(finding, "change") }),
    series: series.map((name) => ({
      name,
      ...(about !== undefined && isOfPart(name, vm !== undefined) && { label: about }),
    })),
    ...(apply && undo && mayApply(vm!.id) && { apply: change(apply), undo: change(undo) }),
  };
}

/** Whether a series has one of each part; those of pools are a host's. */
function isOfPart(name: string, isVm: boolean): boolean {
  return isVm ? "of" in (VM_SERIES as Readonly<Record<string, object>>)[name]! : name.startsWith("pool_");
}

/** The worst first, then by VM. */
export function inOrder(insights: readonly Insight[]): Insight[] {
  const rank = ({ severity }: Insight) => INSIGHT_SEVERITIES.indexOf(severity);
  return [...insights].sort((a, b) =>
    rank(a) - rank(b) || (a.vmName ?? "").localeCompare(b.vmName ?? "", "en", { numeric: true }) ||
    (a.id < b.id ? -1 : 1)
  );
}
