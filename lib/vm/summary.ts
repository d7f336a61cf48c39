/** All VMs in a few figures, for the dashboard. */
import type { VM } from "../contract/mod.ts";
import type { StateFilter } from "./list_query.ts";
import { vmListItem } from "./vm_list_item.ts";
import { isLive, needsAttention } from "./state.ts";
import { countVms, sortVms, type StatsOf } from "./list.ts";

/** Figures about the VMs on the dashboard. */
export interface DashboardSummary {
  readonly counts: Readonly<Record<StateFilter, number>>;
  /** Those that need a person: the first few. */
  readonly attention: readonly VM[];
  /** Those that use most of the processor, most first. */
  readonly top: readonly VM[];
  /** Resources assigned to VMs that run or are paused. */
  readonly promised: { readonly cpus: number; readonly memoryMb: number };
}

const ATTENTION = 8;
const TOP = 6;

/** Sums VMs up. */
export function summarise(vms: readonly VM[], statsOf: StatsOf = (vm) => vm.stats): DashboardSummary {
  const alive = vms.filter(isLive);
  const busy = alive.filter((vm) => statsOf(vm) !== undefined);
  return {
    promised: {
      cpus: alive.reduce((sum, { cpuCount }) => sum + cpuCount, 0),
      memoryMb: alive.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
    },
    counts: countVms(vms),
    attention: sortVms(vms.filter(needsAttention), { sort: "name", dir: "asc" }).slice(0, ATTENTION).map(
      vmListItem,
    ),
    top: sortVms(busy, { sort: "cpu", dir: "desc" }, statsOf).slice(0, TOP).map(vmListItem),
  };
}
