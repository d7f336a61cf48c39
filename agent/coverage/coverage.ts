/** Coverage: the entries of all features that go by VMs' ids, tags and groups, compared with the VMs. */
import {
  type Cover,
  coverChanges,
  type CoveredNames,
  type CoveredVm,
  coverFault,
  type CoverKind,
  coverName,
  type CoverTargets,
  isCovered,
  leftOutOf,
  uncoveredIn,
} from "../../lib/coverage/coverage.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import type { Rights } from "../../lib/access/rights.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import type { VM, VmLabels } from "../../lib/contract/vm.ts";

/** Sentences that are told of a host at most. */
const MOST = 10;

/** The command that lists each kind: who may not call it learns no name of it. */
const LISTED_BY: Readonly<Record<CoverKind, CommandName>> = {
  backup: "list_backups",
  schedule: "list_schedules",
  replication: "list_replications",
  alert: "list_alerts",
  silence: "list_silences",
  user: "list_users",
  "API token": "list_users",
};

const maySee = (rights: Rights, { kind }: Cover) => mayCall(rights, LISTED_BY[kind]);

/** The VMs that there are. */
export interface CoveredWorld extends CoveredNames {
  /** Whether the VMs of all hosts are known: "unknown" must not look like "none". */
  readonly isKnown: () => boolean;
  readonly vms: () => readonly VM[];
  /** VMs that hosts had which were not read since the start. */
  readonly unread: () => readonly CoveredVm[];
}

export class Coverage {
  readonly #sources: (() => readonly Cover[])[] = [];

  constructor(private readonly world: CoveredWorld) {}

  /** Adds what a feature has that goes by VMs. */
  add(source: () => readonly Cover[]): void {
    this.#sources.push(source);
  }

  /** Present or last name of a VM; undefined if unknown. */
  readonly nameOf = (vmId: string): string | undefined => this.world.nameOf(vmId);

  /** Every VM; undefined while those of a host are not known. */
  get vms(): readonly CoveredVm[] | undefined {
    return this.world.isKnown() ? [...this.world.vms(), ...this.world.unread()] : undefined;
  }

  /** The field of what goes by targets: names among them that no VM and no storage pool has. */
  uncovered(targets: CoverTargets): { readonly uncovered?: string[] } {
    const { vms } = this, found = vms === undefined ? [] : uncoveredIn(targets, vms, this.world);
    return found.length === 0 ? {} : { uncovered: found };
  }

  /**
   * Faults of the entries that protect VMs, each with a sentence; undefined while the VMs of a host are
   * unknown.
   */
  faults(): { readonly cover: Cover; readonly text: string }[] | undefined {
    const { vms } = this;
    return vms && this.#all().flatMap((cover) => {
      // Who may see a VM is for who may list them
      if (cover.kind === "user" || cover.kind === "API token") return [];
      const text = coverFault(cover, vms, this.world);
      return text === undefined ? [] : [{ cover, text }];
    });
  }

  /** The same for people, of what they may see, of many the first. */
  attention(rights: Rights): string[] {
    const all = (this.faults() ?? []).filter(({ cover }) => maySee(rights, cover));
    const told = all.slice(0, MOST).map(({ text }) => `${text}.`);
    return all.length > MOST ? [...told, `${all.length - MOST} more go by VMs that are not there.`] : told;
  }

  /**
   * Effects of a change of a VM's tags or group on the entries that go by them, as sentences for a user with
   * these rights.
   */
  changes(vm: VM, change: Partial<VmLabels>, rights: Rights): string[] {
    const others = this.world.vms().filter(({ id }) => id !== vm.id);
    const { group: before, ...rest } = vm;
    const group = "group" in change ? change.group : before;
    const after = { ...rest, tags: change.tags ?? vm.tags, ...(group !== undefined && { group }) };
    return coverChanges(this.#all(), vm, after, others, (cover) => maySee(rights, cover));
  }

  /** Names of the entries that cover a VM, for a user with these rights. */
  of(vm: VM, rights: Rights, isMeant: (kind: CoverKind) => boolean = () => true): string[] {
    const meant = this.#all().filter((cover) => isMeant(cover.kind) && maySee(rights, cover));
    return meant.filter(({ targets }) => isCovered(targets, vm)).map(coverName);
  }

  #all(): Cover[] {
    return this.#sources.flatMap((source) => [...source()]);
  }
}

/** Targets and VMs of a schedule's or a backup's last run. */
interface LastCovered {
  readonly targets: CoverTargets & { readonly all?: boolean };
  readonly covered?: readonly string[];
  readonly leftOut?: readonly string[];
}

/**
 * Ids of VMs that its last run had, and a run now would not have: they have lost a tag or the group; or that
 * run's user could not see them although they are targets.
 *
 * @param seesAll whether the run's user sees every VM
 */
export function leftOutNow(
  { targets, covered, leftOut = [] }: LastCovered,
  vms: readonly VM[],
  seesAll = false,
): string[] {
  if (targets.all) return [];
  const meant = vms.filter((vm) => isCovered(targets, vm));
  const out = leftOutOf({ ...(covered !== undefined && { covered }), leftOut }, meant, vms);
  if (seesAll) return out;
  const unseen = meant.filter(({ id }) => leftOut.includes(id) && !(covered ?? []).includes(id));
  return [...out, ...unseen.map(({ id }) => id)];
}

/** The field of what leaves VMs out. */
export const leftOutFields = (
  ids: readonly string[],
  nameOf: (vmId: string) => string | undefined,
): { readonly leftOut?: { vmId: string; name: string }[] } =>
  ids.length === 0 ? {} : { leftOut: ids.map((vmId) => ({ vmId, name: nameOf(vmId) ?? vmId })) };
