/** Plans targets for the VMs of a host that is emptied. Pure. */
import type { DrainAction } from "../contract/maintenance.ts";
import { isCovered } from "../coverage/coverage.ts";
import { type PlacedVm, type PlacementRule, rulesAgainst, togetherGroups } from "./rules.ts";
import { type HostRoom, type RoomNeed, Rooms } from "./room.ts";

/** A VM of the host that is emptied. */
export interface DrainVm extends Omit<PlacedVm, "host">, RoomNeed {
  /** It runs, or is paused. */
  readonly isActive: boolean;
  /** Why it cannot move to any host; undefined where that is not so, or not known. */
  readonly hindrance?: string | undefined;
}

/** Action and target that the user chose for a VM. */
export interface DrainChoice {
  readonly action: DrainAction;
  /** Id of the host that it moves to; undefined: the one that suits best. */
  readonly toHost?: string | undefined;
}

/** Suitability of one host for a VM. */
export interface PlacementFit {
  /** Why it cannot run there; undefined where it can. */
  readonly problem?: string | undefined;
  /** Bytes that its disks take of pools there. */
  readonly bytes: ReadonlyMap<string, number>;
}

export interface DrainInput {
  /** Id of the host that is emptied. */
  readonly from: string;
  readonly vms: readonly DrainVm[];
  readonly hosts: readonly HostRoom[];
  /** VMs of the other hosts. */
  readonly others: readonly PlacedVm[];
  readonly rules: readonly PlacementRule[];
  readonly choices: ReadonlyMap<string, DrainChoice>;
  /** Action for VMs that are off and have no choice. */
  readonly off: DrainAction;
  /** VMs go to hosts although rules are against it, where no other host is left. */
  readonly breakRules: boolean;
  /** Suitability of a host for a VM; undefined: unknown yet, and taken for possible. */
  readonly fit: (vmId: string, hostId: string) => PlacementFit | undefined;
}

/** Why a VM does not go to a host. */
export type DrainObstacle =
  | { readonly kind: "memory"; readonly host: string; readonly freeMb: number }
  | { readonly kind: "pool"; readonly host: string; readonly pool: string }
  | { readonly kind: "rule"; readonly host: string; readonly rules: readonly string[] }
  | { readonly kind: "problem"; readonly host: string; readonly text: string };

/** Action for one VM, and its target. */
export interface DrainStep {
  readonly vmId: string;
  readonly action: DrainAction;
  readonly toHost?: string;
  /** Names of the rules that it goes against there. */
  readonly broken: readonly string[];
  /** Of one that should move, and cannot: why, host by host. */
  readonly obstacles: readonly DrainObstacle[];
  /** Why no host is looked at. */
  readonly hindrance?: string;
}

const NOTHING: ReadonlyMap<string, number> = new Map();

/** The plan while it is made. */
class Planning {
  readonly rooms: Rooms;
  readonly placed: PlacedVm[];
  readonly steps = new Map<string, DrainStep>();

  constructor(readonly input: DrainInput) {
    this.rooms = new Rooms(input.hosts);
    this.placed = [...input.others];
  }

  /** Why some VMs do not go to a host together; nothing where they do. */
  obstacles(vms: readonly DrainVm[], { id: host }: HostRoom): DrainObstacle[] {
    const { input, rooms } = this, found: DrainObstacle[] = [];
    for (const { id } of vms) {
      const text = input.fit(id, host)?.problem;
      if (text !== undefined) found.push({ kind: "problem", host, text });
    }
    const memoryMb = vms.reduce((sum, vm) => sum + vm.memoryMb, 0);
    if (!rooms.hasMemory(host, { memoryMb })) {
      found.push({ kind: "memory", host, freeMb: rooms.memoryOf(host) });
    }
    const pool = rooms.fullPool(host, this.#bytes(vms, host));
    if (pool !== undefined) found.push({ kind: "pool", host, pool });
    return found;
  }

  /** Names of the rules that some VMs go against on a host. */
  broken(vms: readonly DrainVm[], host: string): string[] {
    const ids = new Set(vms.map(({ id }) => id));
    const around = [
      ...this.placed.filter(({ id }) => !ids.has(id)),
      ...vms.map((vm) => ({ ...vm, host })),
    ];
    const found = vms.flatMap((vm) => rulesAgainst(this.input.rules, vm, host, around));
    return [...new Set(found.map(({ name }) => name))].toSorted();
  }

  move(vms: readonly DrainVm[], host: string, broken: readonly string[]): void {
    for (const vm of vms) {
      this.rooms.take(host, vm, this.input.fit(vm.id, host)?.bytes ?? NOTHING);
      this.placed.push({ ...vm, host });
      this.steps.set(vm.id, { vmId: vm.id, action: "move", toHost: host, broken, obstacles: [] });
    }
  }

  /** @param obstacles why it does not move */
  stay(vm: DrainVm, action: DrainAction, obstacles: readonly DrainObstacle[] = []): void {
    this.placed.push({ ...vm, host: this.input.from });
    const hindrance = action === "leave" && this.input.choices.get(vm.id)?.action !== "leave"
      ? vm.hindrance
      : undefined;
    this.steps.set(vm.id, {
      vmId: vm.id,
      action,
      broken: [],
      obstacles,
      ...(hindrance !== undefined && { hindrance }),
    });
  }

  #bytes(vms: readonly DrainVm[], host: string): Map<string, number> {
    const sum = new Map<string, number>();
    for (const { id } of vms) {
      for (const [pool, size] of this.input.fit(id, host)?.bytes ?? NOTHING) {
        sum.set(pool, (sum.get(pool) ?? 0) + size);
      }
    }
    return sum;
  }
}

const byNeed = (a: DrainVm, b: DrainVm) => b.memoryMb - a.memoryMb || (a.id < b.id ? -1 : 1);

/** Places VMs that go together. @returns why there is no host for them; nothing where they were placed */
function place(planning: Planning, vms: readonly DrainVm[], toHost: string | undefined): DrainObstacle[] {
  const { input, rooms } = planning, obstacles: DrainObstacle[] = [];
  const need = {
    memoryMb: vms.reduce((sum, vm) => sum + vm.memoryMb, 0),
    cpuUsed: vms.reduce((sum, vm) => sum + (vm.cpuUsed ?? 0), 0),
  };
  const wanted = input.hosts.filter(({ id }) => toHost === undefined || id === toHost);
  const possible = wanted.flatMap((host) => {
    const found = planning.obstacles(vms, host), broken = planning.broken(vms, host.id);
    if (found.length > 0) obstacles.push(...found);
    else if (broken.length > 0 && !input.breakRules) {
      obstacles.push({ kind: "rule", host: host.id, rules: broken });
    } else return [{ id: host.id, broken, load: rooms.loadOf(host.id, need) }];
    return [];
  });
  const [best] = possible.toSorted((a, b) =>
    a.broken.length - b.broken.length || a.load - b.load || (a.id < b.id ? -1 : 1)
  );
  if (best === undefined) return obstacles;
  planning.move(vms, best.id, best.broken);
  return [];
}

/**
 * Plans each VM: the largest are placed first, each on the host that is left with the most room of those that have
 * enough, that it can run on, and that no rule is against. The same input gives the same plan, in any order.
 */
export function planDrain(input: DrainInput): DrainStep[] {
  const planning = new Planning(input);
  const actionOf = (vm: DrainVm): DrainAction =>
    input.choices.get(vm.id)?.action ?? (vm.isActive ? "move" : input.off);
  const moving: DrainVm[] = [];
  for (const vm of input.vms.toSorted(byNeed)) {
    const action = actionOf(vm);
    if (action === "move" && vm.hindrance === undefined) moving.push(vm);
    else planning.stay(vm, action === "shutdown" && vm.isActive ? action : "leave");
  }
  const byId = new Map(moving.map((vm) => [vm.id, vm]));
  const groups = togetherGroups(input.rules, moving)
    .map((ids) => ids.map((id) => byId.get(id)!).toSorted(byNeed))
    .toSorted((a, b) => sum(b) - sum(a) || (a[0]!.id < b[0]!.id ? -1 : 1));
  for (const group of groups) {
    const chosen = [...new Set(group.map(({ id }) => input.choices.get(id)?.toHost))];
    const apart = chosen.length > 1
      ? [separated(input, group, chosen.find((each) => each !== undefined)!)]
      : [];
    const obstacles = apart.length > 0 ? apart : place(planning, group, chosen[0]);
    if (obstacles.length === 0 && planning.steps.has(group[0]!.id)) continue;
    for (const vm of group) {
      // What rules keep together stays together, unless somebody may go against them
      const isAlone = group.length > 1 && input.breakRules;
      const left = isAlone ? place(planning, [vm], input.choices.get(vm.id)?.toHost) : obstacles;
      if (!planning.steps.has(vm.id)) planning.stay(vm, "leave", left);
    }
  }
  return input.vms.map(({ id }) => planning.steps.get(id)!);
}

/** The obstacle of VMs that somebody has chosen different hosts for, and that rules keep together. */
function separated({ rules }: DrainInput, vms: readonly DrainVm[], host: string): DrainObstacle {
  const kept = rules.filter(({ kind, targets }) =>
    kind === "together" && vms.filter((vm) => isCovered(targets, vm)).length > 1
  );
  return { kind: "rule", host, rules: kept.map(({ name }) => name).toSorted() };
}

const sum = (vms: readonly DrainVm[]) => vms.reduce((all, { memoryMb }) => all + memoryMb, 0);
