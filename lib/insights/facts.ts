/** Facts that rules judge by: a VM or a host, and the summary of its figures over the range. Pure. */
import type { InsightCategory, InsightChange, InsightSeverity } from "../contract/insights.ts";
import type { HostSeriesName, VmSeriesName } from "../contract/metric_series.ts";
import type { MetricSummary } from "../contract/metrics.ts";
import type { VM } from "../contract/vm.ts";

/** The summary of a series. */
export type InsightSummary = MetricSummary["series"][number];

/** Length of the range, and summaries of its series. */
interface RangeFacts {
  /** Hours of the range. */
  readonly hours: number;
  readonly series: readonly InsightSummary[];
}

/** A storage pool as rules see it. */
export interface PoolInsightFacts {
  readonly name: string;
  readonly capacity: number;
  readonly allocation: number;
  /** Disk images in it that no VM has; undefined where that is not known. */
  readonly unused?: { readonly names: readonly string[]; readonly bytes: number } | undefined;
}

/** A host, and what its VMs take together. */
export interface AnalysedHost extends RangeFacts {
  readonly threads: number;
  readonly memoryMb: number;
  /** Of the VMs that run. */
  readonly runningCpus: number;
  readonly runningMemoryMb: number;
  readonly pools: readonly PoolInsightFacts[];
}

/** Facts about a VM's backups, from the last runs of all jobs. */
export interface BackupFacts {
  /** When the newest copy was taken, milliseconds since 1970; undefined: there is none. */
  readonly takenAt?: number;
  /** The newest run that was to copy the VM failed to. */
  readonly failed: boolean;
}

/** A snapshot as rules see it. */
export interface SnapshotFacts {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Its disks are images of their own: what the VM reads goes through all of them. */
  readonly external: boolean;
}

/** A VM on its host. */
export interface VmInsightFacts extends RangeFacts {
  readonly vm: VM;
  /** Undefined where backups are not known, or not made. */
  readonly backup?: BackupFacts | undefined;
  /** Undefined where they are not known. */
  readonly snapshots?: readonly SnapshotFacts[] | undefined;
  readonly host: Pick<AnalysedHost, "threads" | "memoryMb">;
}

/** Problem that a rule found, with the change that solves it. */
export interface FoundProblem {
  readonly severity: InsightSeverity;
  /** Name of the disk, card or pool. */
  readonly about?: string;
  /** Values in the rule's texts. */
  readonly vars: Readonly<Record<string, string | number>>;
  /** Series that show it, with a label where it is of one part. */
  readonly series?: readonly (VmSeriesName | HostSeriesName)[];
  /** Fields of update_vm. Without one there is nothing that is safe to do by itself. */
  readonly apply?: Pick<InsightChange["input"], "cpu" | "memory">;
}

/** A rule. Its texts are `insights.<id>.title`, `.seen`, `.why`, `.advice`, and `.change` where it applies something. */
export interface Rule<F> {
  readonly id: string;
  readonly category: InsightCategory;
  /** Hours that the range must have: a quiet hour says nothing of the day. */
  readonly hours?: number;
  /** Judges the load over the range: it says nothing where figures are too few. */
  readonly ofLoad?: true;
  readonly find: (facts: F) => readonly FoundProblem[];
}

/** Points that a percentile needs, and the share of the range that must be known. */
export const ENOUGH = { points: 20, coverage: 0.5 } as const;

/** The summary of a series that has points enough; undefined where it has not. */
export function summaryOf(
  series: readonly InsightSummary[],
  name: VmSeriesName | HostSeriesName,
): InsightSummary | undefined {
  return series.find((each) =>
    each.name === name && each.label === undefined && each.points >= ENOUGH.points
  );
}

/** The summaries of a series with parts, of those with points enough. */
export function summariesWithParts(
  series: readonly InsightSummary[],
  name: VmSeriesName | HostSeriesName,
): InsightSummary[] {
  return series.filter((each) => each.name === name && each.points >= ENOUGH.points);
}

/** A whole number of percent. */
export const percent = (value: number) => Math.round(value);

/** Whether QEMU runs for it. */
export const isActiveVm = ({ state }: Pick<VM, "state">) => state === "running" || state === "paused";
