/**
 * Coverage: the VMs that schedules, backups, alerts, silences and rights apply to, and names in them that no VM has.
 * Pure.
 */
import type { VM } from "../contract/vm.ts";
import { oneLine } from "../text/text.ts";

/** VMs that something is for: by id, by tag, by group. */
export interface CoverTargets {
  readonly vmIds: readonly string[];
  readonly tags: readonly string[];
  readonly groups: readonly string[];
  /** Names of storage pools. */
  readonly pools?: readonly string[];
}

/** Names and objects that targets can refer to. */
export interface CoveredNames {
  /** Last name of a deleted VM; undefined if it is not known. */
  readonly nameOf: (vmId: string) => string | undefined;
  /** Whether a host has a storage pool, or its pools are not known. */
  readonly isPool: (name: string) => boolean;
}

/** Kinds of entries with targets. */
export type CoverKind = "backup" | "schedule" | "replication" | "alert" | "silence" | "user" | "API token";

/** Something that holds for VMs by their ids, tags or groups. */
export interface Cover {
  readonly kind: CoverKind;
  readonly name: string;
  readonly targets: CoverTargets;
  /** Why it cannot run, the end of a sentence. */
  readonly fault?: string;
  /** VMs that it had at its last run and has no more, though they are there. */
  readonly leftOut?: readonly string[];
}

/** A VM as far as that depends on it. */
export type CoveredVm = Pick<VM, "id" | "tags"> & { readonly group?: string | undefined };

/** Longest name in a sentence, and names that are told. */
const LONGEST = 60, NAMED = 5;

/** Whether targets hold for a VM. */
export function isCovered({ vmIds, tags, groups }: CoverTargets, vm: CoveredVm): boolean {
  return vmIds.includes(vm.id) || vm.tags.some((tag) => tags.includes(tag)) ||
    (vm.group !== undefined && groups.includes(vm.group));
}

/** Several names as one; of many the first. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map((name) => oneLine(name, LONGEST)).join(", ");
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}

/** Names that targets go by and that no VM and no storage pool has now. */
export function uncoveredIn(
  targets: CoverTargets,
  vms: readonly CoveredVm[],
  { nameOf, isPool }: CoveredNames,
): string[] {
  const tags = new Set(vms.flatMap((vm) => vm.tags)), groups = new Set(vms.map(({ group }) => group));
  const ids = new Set(vms.map(({ id }) => id));
  return [
    ...targets.vmIds.filter((id) => !ids.has(id)).map((id) => {
      const name = nameOf(id);
      return name === undefined
        ? `the VM ${oneLine(id, LONGEST)}`
        : `the VM ${oneLine(name, LONGEST)} (${id})`;
    }),
    ...targets.tags.filter((tag) => !tags.has(tag)).map((tag) => `the tag ${oneLine(tag, LONGEST)}`),
    ...targets.groups.filter((group) => !groups.has(group)).map((group) =>
      `the group ${oneLine(group, LONGEST)}`
    ),
    ...(targets.pools ?? []).filter((pool) => !isPool(pool)).map((pool) =>
      `the storage pool ${oneLine(pool, LONGEST)}`
    ),
  ];
}

export const coverName = ({ kind, name }: Cover): string => `the ${kind} ${oneLine(name, LONGEST)}`;

/** How it is called to who may not see it. */
const unseenName = ({ kind }: Cover): string =>
  `${kind === "alert" || kind === "API token" ? "an" : "a"} ${kind} that you may not see`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A sentence about names in a cover that match no VM; undefined if all of them do. */
export function coverFault(
  cover: Cover,
  vms: readonly CoveredVm[],
  known: CoveredNames,
): string | undefined {
  const { nameOf } = known;
  const { leftOut = [], targets, fault } = cover, uncovered = uncoveredIn(targets, vms, known);
  const faults = [
    ...fault === undefined ? [] : [`does not run: ${fault}`],
    ...leftOut.length === 0
      ? []
      : [`leaves out ${namesText(leftOut.map((id) => nameOf(id) ?? id))}, which it had at its last run`],
    ...uncovered.length === 0 ? [] : [`names what is not there: ${namesText(uncovered)}`],
  ];
  return faults.length === 0 ? undefined : `${capital(coverName(cover))} ${faults.join(", and ")}`;
}

/** VMs that something had at its last run, or left out already, and that are there and not among those that it has now. */
export function leftOutOf(
  had: { readonly covered?: readonly string[]; readonly leftOut?: readonly string[] },
  now: readonly Pick<VM, "id">[],
  vms: readonly Pick<VM, "id">[],
): string[] {
  const has = new Set(now.map(({ id }) => id)), there = new Set(vms.map(({ id }) => id));
  const all = new Set([...had.covered ?? [], ...had.leftOut ?? []]);
  return [...all].filter((id) => there.has(id) && !has.has(id));
}

/** Targets that do not name a VM by its id. */
export const withoutVm = <T extends CoverTargets>(targets: T, vmId: string): T => ({
  ...targets,
  vmIds: targets.vmIds.filter((id) => id !== vmId),
});

/** Effects on a VM that a cover no longer applies to, by the cover's kind. */
const ENDS: Readonly<Partial<Record<CoverKind, string>>> = {
  backup: "no longer copies it",
  schedule: "no longer takes it",
  alert: "no longer watches it",
  silence: "no longer holds for it",
};

/**
 * Effects of a change of a VM's tags or group on covers, one sentence each: covers that leave the VM out from then on,
 * and covers that apply to the first VM with a name which others used before.
 *
 * @param others every other VM
 * @param isShown whether the reader may see such a cover, and learn its name
 */
export function coverChanges(
  all: readonly Cover[],
  before: CoveredVm,
  after: CoveredVm,
  others: readonly CoveredVm[],
  isShown: (cover: Cover) => boolean = () => true,
): string[] {
  const called = (cover: Cover) => isShown(cover) ? coverName(cover) : unseenName(cover);
  const ended = all.filter(({ targets, kind }) =>
    ENDS[kind] !== undefined && isCovered(targets, before) && !isCovered(targets, after)
  ).map((cover) => `${capital(called(cover))} ${ENDS[cover.kind]}.`);
  const names = [
    ...after.tags.filter((tag) => !before.tags.includes(tag)).map((tag) =>
      ({ key: "tags", name: tag }) as const
    ),
    ...after.group === undefined || after.group === before.group
      ? []
      : [{ key: "groups", name: after.group } as const],
  ];
  const begun = names.flatMap(({ key, name }) => {
    const only = { vmIds: [], tags: [], groups: [], [key]: [name] };
    if (others.some((vm) => isCovered(only, vm))) return [];
    const holders = all.filter(({ targets }) => targets[key].includes(name));
    if (holders.length === 0) return [];
    const word = key === "tags" ? "has the tag" : "is in the group";
    return [
      `No other VM ${word} ${oneLine(name, LONGEST)}. This goes by that name and holds for it from now on: ${
        holders.map(called).join(", ")
      }.`,
    ];
  });
  return [...ended, ...begun];
}
