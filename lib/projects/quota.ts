/** Total usage of a project's VMs, and whether more fits its quota. Pure. */
import {
  type ProjectDefaults,
  type ProjectQuota,
  type ProjectUsage,
  QUOTA_FIELDS,
  type QuotaField,
  type VM,
} from "../contract/mod.ts";

/** Resources of a VM that quotas limit. */
export interface VmSize {
  readonly cpus: number;
  /** MiB: the most it may have. */
  readonly memoryMb: number;
  /** GiB of its disks as its guest sees them. */
  readonly diskGb: number;
}

/** Usage that one VM adds. */
export interface Counted extends VmSize {
  /** 1, or 0 for one in the bin. */
  readonly vms: number;
}

export const NO_USAGE: Counted = { vms: 0, cpus: 0, memoryMb: 0, diskGb: 0 };

/** The size of a VM that is there. @param known its disks, where they are not known now */
export const sizeOfVm = (
  { cpuCount, maxMemoryMb, diskSizeGb }: Pick<VM, "cpuCount" | "maxMemoryMb" | "diskSizeGb">,
  known: Pick<VmSize, "diskGb">,
): VmSize => ({ cpus: cpuCount, memoryMb: maxMemoryMb, diskGb: diskSizeGb ?? known.diskGb });

/** Each of two sizes at its larger. */
export const largerSize = (a: VmSize, b: VmSize): VmSize => ({
  cpus: Math.max(a.cpus, b.cpus),
  memoryMb: Math.max(a.memoryMb, b.memoryMb),
  diskGb: Math.max(a.diskGb, b.diskGb),
});

/** Sizes of disks are told to one decimal: sums of them are, too. */
const rounded = (gib: number): number => Math.round(gib * 1000) / 1000;

export function sumOf(counted: readonly Counted[]): Counted {
  const sum = (field: QuotaField) => counted.reduce((total, each) => total + each[field], 0);
  return { vms: sum("vms"), cpus: sum("cpus"), memoryMb: sum("memoryMb"), diskGb: rounded(sum("diskGb")) };
}

/** Fields of a quota that are exceeded. */
export const exceeded = (quota: ProjectQuota, usage: Omit<ProjectUsage, "binDiskGb">): QuotaField[] =>
  QUOTA_FIELDS.filter((field) => usage[field] > (quota[field] ?? Infinity));

/** Excess over a quota: the limit, and the requested amount. */
export interface Misfit {
  readonly field: QuotaField;
  readonly limit: number;
  readonly requested: number;
}

/**
 * Whether a VM fits. What does not grow is not refused: also in a project that exceeds its quota a VM can be changed.
 *
 * @param others what all other VMs of the project have
 * @param before what this one counts for now
 * @param next what it would count for
 */
export function misfitOf(
  quota: ProjectQuota,
  others: Counted,
  before: Counted,
  next: Counted,
): Misfit | undefined {
  for (const field of QUOTA_FIELDS) {
    const limit = quota[field], requested = rounded(next[field] - before[field]);
    if (limit !== undefined && requested > 0 && rounded(others[field] + next[field]) > limit) {
      return { field, limit, requested };
    }
  }
  return undefined;
}

/** Texts of a figure of a quota: the end of “may have …”. */
const UNITS: Readonly<Record<QuotaField, readonly [one: string, many: string]>> = {
  vms: ["VM", "VMs"],
  cpus: ["CPU", "CPUs"],
  memoryMb: ["MiB of memory", "MiB of memory"],
  diskGb: ["GiB of disks", "GiB of disks"],
};

/** A figure of a quota in words: `4 CPUs`. */
export const figureText = (field: QuotaField, value: number): string =>
  `${value} ${UNITS[field][value === 1 ? 0 : 1]}`;

/** The fields of a new VM, with the defaults of its project where nothing else was said. */
export function withDefaults<
  C extends {
    readonly cpuCount?: number;
    readonly memoryMb?: number;
    readonly diskSizeGb?: number;
    readonly disks?: readonly unknown[];
    readonly network?: string;
    readonly nics?: readonly unknown[];
    readonly tags?: string[];
  },
>(config: C, { cpuCount, memoryMb, diskSizeGb, network, tags }: ProjectDefaults): C {
  return {
    ...(cpuCount !== undefined && { cpuCount }),
    ...(memoryMb !== undefined && { memoryMb }),
    ...(diskSizeGb !== undefined && config.disks === undefined && { diskSizeGb }),
    ...(network !== undefined && config.nics === undefined && { network }),
    ...(tags !== undefined && { tags }),
    ...config,
  };
}
