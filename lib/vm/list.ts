/** Filters, sorts and groups VMs: pure, so the server's first page and the browser's list are the same. */
import type { VM, VmState, VmStats } from "../contract/mod.ts";
import { SOURCE_LOCALE } from "../i18n/locale.ts";
import type { Grouping, ListQuery, Sort, StateFilter } from "./list_query.ts";
import { osOf } from "./os/names.ts";
import { isLive, needsAttention, STATE_ORDER } from "./state.ts";

/** Lookup of a VM's load: the page's VMs carry it, in the browser the live store has newer figures. */
export type StatsOf = (vm: VM) => VmStats | undefined;

const carried: StatsOf = (vm) => vm.stats;
// The same order on the server and in every browser, whatever the language.
const names = new Intl.Collator(SOURCE_LOCALE, { numeric: true, sensitivity: "base" });

/** The first address a VM is known by. */
export function firstAddress(vm: Pick<VM, "networkInterfaces">): string | undefined {
  return vm.networkInterfaces.find(({ ipAddress }) => ipAddress !== undefined)?.ipAddress;
}

// Search looks at the same text for each letter typed; a description may be 64 KiB, of which the beginning will do.
const haystacks = new WeakMap<VM, string>();
const SEARCHED = 2_000;

/**
 * Text that a VM is searched by, in lower case: name, title, id, system, group, project, host, tags, addresses,
 * description.
 */
export function searchTextOf(vm: VM): string {
  let text = haystacks.get(vm);
  if (text === undefined) {
    text = [
      vm.name,
      vm.title,
      vm.id,
      osOf(vm),
      vm.group,
      vm.project?.name,
      vm.host,
      ...vm.tags,
      ...vm.networkInterfaces.flatMap(({ mac, ipAddresses }) => [mac, ...ipAddresses]),
      vm.description,
    ].map((part) => (part ?? "").slice(0, SEARCHED)).join("\n").toLowerCase();
    haystacks.set(vm, text);
  }
  return text;
}

function inState(vm: VM, filter: StateFilter): boolean {
  if (filter === "all") return true;
  return filter === "attention" ? needsAttention(vm) : vm.state === filter;
}

/** The VMs a query asks for: every word of `q` is found in {@link searchTextOf}. */
export function filterVms(
  vms: readonly VM[],
  query: Pick<ListQuery, "q" | "state" | "tag" | "group" | "host" | "project">,
): VM[] {
  const words = query.q.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return vms.filter((vm) =>
    inState(vm, query.state) &&
    (query.tag === "" || vm.tags.includes(query.tag)) &&
    (query.group === "" || vm.group === query.group) &&
    (query.host === "" || vm.host === query.host) &&
    (query.project === "" || vm.project?.name === query.project) &&
    words.every((word) => searchTextOf(vm).includes(word))
  );
}

/** How many VMs each filter would show. */
export function countVms(vms: readonly VM[]): Record<StateFilter, number> {
  const counts = {
    all: vms.length,
    attention: 0,
    running: 0,
    stopped: 0,
    paused: 0,
    suspended: 0,
    crashed: 0,
  };
  for (const vm of vms) {
    counts[vm.state]++;
    if (needsAttention(vm)) counts.attention++;
  }
  return counts;
}

type SortValue = number | string | undefined;

/** Values that columns sort by; undefined is unknown, and comes last in either order. */
const VALUES: Readonly<Record<Sort, (vm: VM, statsOf: StatsOf) => SortValue>> = {
  name: (vm) => vm.name,
  state: (vm) => STATE_ORDER.indexOf(vm.state),
  cpu: (vm, statsOf) => isLive(vm) ? statsOf(vm)?.cpuUsagePercent ?? undefined : undefined,
  memory: (vm, statsOf) => isLive(vm) ? statsOf(vm)?.memoryUsedMb : undefined,
  address: firstAddress,
  disk: (vm) => vm.diskSizeGb ?? undefined,
  // The longest up is the one started first.
  uptime: (vm) => vm.startedAt === undefined ? undefined : -vm.startedAt,
  tags: (vm) => vm.tags.length === 0 ? undefined : vm.tags.join(" "),
  host: (vm) => vm.host,
};

/** Whether an order moves with the load, so that the list must be sorted again when figures arrive. */
export function sortsByLoad(sort: Sort): boolean {
  return sort === "cpu" || sort === "memory";
}

function compare(a: Exclude<SortValue, undefined>, b: Exclude<SortValue, undefined>): number {
  return typeof a === "number" && typeof b === "number" ? a - b : names.compare(String(a), String(b));
}

/** Sorts by a column; VMs alike in it are in order of their names, and unknown values come last. */
export function sortVms(
  vms: readonly VM[],
  { sort, dir }: Pick<ListQuery, "sort" | "dir">,
  statsOf: StatsOf = carried,
): VM[] {
  const sign = dir === "asc" ? 1 : -1;
  return vms
    .map((vm) => ({ vm, value: VALUES[sort](vm, statsOf) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined) {
        return Number(a.value === undefined) - Number(b.value === undefined) ||
          names.compare(a.vm.name, b.vm.name);
      }
      return sign * compare(a.value, b.value) || names.compare(a.vm.name, b.vm.name);
    })
    .map(({ vm }) => vm);
}

/** VMs that belong together. `key` is the state, tag, group or host; empty for those with none. */
export interface VmGroup {
  readonly key: string;
  readonly vms: readonly VM[];
}

const KEYS: Readonly<Record<Exclude<Grouping, "none">, (vm: VM) => readonly string[]>> = {
  state: (vm) => [vm.state],
  tag: (vm) => vm.tags.length === 0 ? [""] : vm.tags,
  group: (vm) => [vm.group ?? ""],
  project: (vm) => [vm.project?.name ?? ""],
  host: (vm) => [vm.host],
};

function groupOrder(by: Grouping): (a: VmGroup, b: VmGroup) => number {
  if (by === "state") {
    return (a, b) => STATE_ORDER.indexOf(a.key as VmState) - STATE_ORDER.indexOf(b.key as VmState);
  }
  return (a, b) => Number(a.key === "") - Number(b.key === "") || names.compare(a.key, b.key);
}

/** Puts VMs into groups, in the groups' order; a VM with several tags is in each of theirs. */
export function groupVms(vms: readonly VM[], by: Grouping): VmGroup[] {
  if (by === "none") return vms.length === 0 ? [] : [{ key: "", vms }];
  const groups = new Map<string, VM[]>();
  for (const vm of vms) {
    for (const key of KEYS[by](vm)) {
      const members = groups.get(key);
      if (members) members.push(vm);
      else groups.set(key, [vm]);
    }
  }
  return [...groups].map(([key, members]) => ({ key, vms: members })).sort(groupOrder(by));
}
