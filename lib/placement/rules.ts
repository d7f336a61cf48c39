/** Rules on which hosts VMs belong: together, apart, on some hosts, not on some. Pure. */
import type { PlacementKind } from "../contract/placement.ts";
import { type CoveredVm, type CoverTargets, isCovered } from "../coverage/coverage.ts";

/** Kinds that name hosts. */
export const namesHosts = (kind: PlacementKind): boolean => kind === "on" || kind === "not-on";

/** A rule. */
export interface PlacementRule {
  readonly id: string;
  readonly name: string;
  readonly kind: PlacementKind;
  readonly targets: CoverTargets;
  /** Ids of hosts: those that VMs are to be on, or not to be on. */
  readonly hosts: readonly string[];
}

/** A VM on its host. */
export interface PlacedVm extends CoveredVm {
  readonly name: string;
  /** Id of its host. */
  readonly host: string;
}

/** A rule that does not hold, and for which VMs. */
export interface BrokenRule {
  readonly rule: PlacementRule;
  /** Those that it does not hold for, by their ids. */
  readonly vms: readonly PlacedVm[];
}

/** The host that most of these VMs are on; of several the one with the least id. */
function commonHost(vms: readonly PlacedVm[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { host } of vms) counts.set(host, (counts.get(host) ?? 0) + 1);
  const [most] = [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return most?.[0];
}

/** The VMs that a rule does not hold for. */
function offenders(rule: PlacementRule, vms: readonly PlacedVm[]): PlacedVm[] {
  const meant = vms.filter((vm) => isCovered(rule.targets, vm));
  switch (rule.kind) {
    case "on":
      return meant.filter(({ host }) => !rule.hosts.includes(host));
    case "not-on":
      return meant.filter(({ host }) => rule.hosts.includes(host));
    case "together": {
      const common = commonHost(meant);
      return meant.filter(({ host }) => host !== common);
    }
    case "apart":
      return meant.filter((vm) => meant.some((other) => other.id !== vm.id && other.host === vm.host));
  }
}

const byId = (a: { readonly id: string }, b: { readonly id: string }) => a.id < b.id ? -1 : 1;

/** The rules that do not hold. */
export function brokenRules(rules: readonly PlacementRule[], vms: readonly PlacedVm[]): BrokenRule[] {
  return rules.flatMap((rule) => {
    const found = offenders(rule, vms).toSorted(byId);
    return found.length === 0 ? [] : [{ rule, vms: found }];
  });
}

/** Whether a rule would not hold for a VM that is on a host, as the others are. */
function isBrokenOn(rule: PlacementRule, vm: PlacedVm, others: readonly PlacedVm[]): boolean {
  if (!isCovered(rule.targets, vm)) return false;
  if (rule.kind === "on") return !rule.hosts.includes(vm.host);
  if (rule.kind === "not-on") return rule.hosts.includes(vm.host);
  const related = others.filter((other) => isCovered(rule.targets, other));
  return rule.kind === "apart"
    ? related.some(({ host }) => host === vm.host)
    : related.some(({ host }) => host !== vm.host);
}

/**
 * The rules that a VM would go against on a host.
 *
 * @param vms all others, where they are; the VM itself among them does not matter
 */
export function rulesAgainst(
  rules: readonly PlacementRule[],
  vm: Omit<PlacedVm, "host">,
  host: string,
  vms: readonly PlacedVm[],
): PlacementRule[] {
  const others = vms.filter(({ id }) => id !== vm.id), there = { ...vm, host };
  return rules.filter((rule) => isBrokenOn(rule, there, others));
}

/** VMs that rules keep together, as groups of ids: each VM is in one, also alone. */
export function togetherGroups(rules: readonly PlacementRule[], vms: readonly CoveredVm[]): string[][] {
  const group = new Map(vms.map(({ id }) => [id, id]));
  const root = (id: string): string => {
    let at = id;
    while (group.get(at) !== at) at = group.get(at)!;
    return at;
  };
  for (const rule of rules.filter(({ kind }) => kind === "together")) {
    const [first, ...rest] = vms.filter((vm) => isCovered(rule.targets, vm)).map(({ id }) => root(id));
    for (const other of rest) if (first !== undefined) group.set(root(other), root(first));
  }
  const found = Map.groupBy(vms.map(({ id }) => id), root);
  return [...found.values()].map((ids) => ids.toSorted());
}
