/** Advises moves of VMs, so that hosts are more evenly used and placement rules hold. Pure. */
import { brokenRules, type PlacedVm, type PlacementRule, rulesAgainst } from "./rules.ts";
import { type HostRoom, type RoomNeed, Rooms } from "./room.ts";

/** A VM that may move. */
export interface BalanceVm extends PlacedVm, RoomNeed {
  /** Whether it can move at all. */
  readonly isMovable: boolean;
}

export interface BalanceInput {
  readonly hosts: readonly HostRoom[];
  readonly vms: readonly BalanceVm[];
  readonly rules: readonly PlacementRule[];
  /** Ids of the hosts whose VMs can be moved from here. */
  readonly from: ReadonlySet<string>;
  /** Whether a VM is known not to run on a host. */
  readonly isImpossible?: (vmId: string, hostId: string) => boolean;
}

/** A move that is advised. */
export interface Advice {
  readonly vmId: string;
  readonly from: string;
  readonly to: string;
  /** Names of the rules that hold for it there, and do not here; of one for balance none. */
  readonly rules: readonly string[];
  /** How full both hosts are before and after: the fuller of memory and processor, 0 to 1. */
  readonly before: { readonly from: number; readonly to: number };
  readonly after: { readonly from: number; readonly to: number };
}

/** Moves that are advised at most. */
export const MOST_ADVICE = 10;
/** How much fuller a host must be than another one before VMs are advised to leave it, 0 to 1. */
export const UNEVEN = 0.15;

/** The hosts and VMs as they would be after what was advised so far. */
class Balance {
  readonly rooms: Rooms;
  readonly vms = new Map<string, BalanceVm>();
  readonly moved = new Set<string>();
  readonly advice: Advice[] = [];

  constructor(readonly input: BalanceInput) {
    this.rooms = new Rooms(input.hosts);
    for (const vm of input.vms) this.vms.set(vm.id, vm);
  }

  get isFull(): boolean {
    return this.advice.length >= MOST_ADVICE;
  }

  all(): BalanceVm[] {
    return [...this.vms.values()].toSorted((a, b) => a.id < b.id ? -1 : 1);
  }

  mayLeave({ id, host, isMovable }: BalanceVm): boolean {
    return isMovable && !this.moved.has(id) && this.input.from.has(host);
  }

  against(vm: BalanceVm, host: string): PlacementRule[] {
    return rulesAgainst(this.input.rules, vm, host, this.all());
  }

  fits(vm: BalanceVm, host: string): boolean {
    return host !== vm.host && this.rooms.hasMemory(host, vm) &&
      this.input.isImpossible?.(vm.id, host) !== true;
  }

  advise(vm: BalanceVm, to: string, rules: readonly string[]): void {
    const { rooms } = this, loads = () => ({ from: rooms.loadOf(vm.host), to: rooms.loadOf(to) });
    const before = loads();
    rooms.free(vm.host, vm);
    rooms.take(to, vm);
    this.advice.push({ vmId: vm.id, from: vm.host, to, rules, before, after: loads() });
    this.moved.add(vm.id);
    this.vms.set(vm.id, { ...vm, host: to });
  }
}

/** Moves by which a rule holds that does not now. */
function mendRules(balance: Balance): void {
  const { input, rooms } = balance;
  const broken = new Set(
    brokenRules(input.rules, balance.all()).flatMap(({ vms }) => vms.map(({ id }) => id)),
  );
  for (const id of [...broken].toSorted()) {
    const vm = balance.vms.get(id)!, against = balance.against(vm, vm.host);
    if (balance.isFull || against.length === 0 || !balance.mayLeave(vm)) continue;
    const hosts = input.hosts.map((host) => host.id)
      .filter((host) => balance.fits(vm, host) && balance.against(vm, host).length === 0)
      .toSorted((a, b) => rooms.loadOf(a, vm) - rooms.loadOf(b, vm) || (a < b ? -1 : 1));
    if (hosts[0] !== undefined) balance.advise(vm, hosts[0], against.map(({ name }) => name));
  }
}

/** The move after which the fuller of both hosts is less full than after any other; undefined where none makes enough of it. */
function bestMove(balance: Balance): { readonly vm: BalanceVm; readonly to: string } | undefined {
  const { input, rooms } = balance;
  const loads = input.hosts.map(({ id }) => ({ id, load: rooms.loadOf(id) }));
  let best: { vm: BalanceVm; to: string; fuller: number } | undefined;
  for (const vm of balance.all()) {
    if (!balance.mayLeave(vm) || vm.memoryMb + (vm.cpuUsed ?? 0) === 0) continue;
    const here = rooms.loadOf(vm.host);
    const left = rooms.loadOf(vm.host, { memoryMb: -vm.memoryMb, cpuUsed: -(vm.cpuUsed ?? 0) });
    for (const { id: to, load } of loads) {
      if (here - load < UNEVEN || !balance.fits(vm, to)) continue;
      const fuller = Math.max(rooms.loadOf(to, vm), left);
      // With less gained, the VM would be advised to come back once a little has changed
      if (here - fuller < UNEVEN / 4 || balance.against(vm, to).length > 0) continue;
      const isBetter = best === undefined || fuller < best.fuller ||
        fuller === best.fuller && vm.memoryMb > best.vm.memoryMb;
      if (isBetter) best = { vm, to, fuller };
    }
  }
  return best;
}

/** Advice: moves that rules ask for first, then those that make hosts more even. It moves no VM. */
export function adviseBalance(input: BalanceInput): Advice[] {
  const balance = new Balance(input);
  mendRules(balance);
  while (!balance.isFull) {
    const found = bestMove(balance);
    if (found === undefined) break;
    balance.advise(found.vm, found.to, []);
  }
  return balance.advice;
}
