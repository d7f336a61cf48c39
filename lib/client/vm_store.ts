/** The VMs as the browser knows them: filled from a page or a list, then kept by events. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { VM, VmState, VmStats } from "../contract/mod.ts";
import { isLive } from "../vm/state.ts";

/** Loads of a VM that are kept for its sparkline: two minutes of them. */
export const RECENT = 60;

/**
 * VMs and their loads. The two are apart because loads change all the time: a cell that shows a load listens
 * to that VM's signal alone, and a tick re-renders no list.
 */
export class VmStore {
  readonly #vms = new Map<string, VM>();
  readonly #stats = new Map<string, Signal<VmStats | undefined>>();
  readonly #recent = new Map<string, number[]>();
  readonly #version = signal(0);
  readonly #ticks = signal(0);
  readonly #complete = signal(false);

  /** All VMs known; a new array whenever one of them changed in anything but its load. */
  readonly all: ReadonlySignal<readonly VM[]> = computed(() => {
    this.#version.value;
    return [...this.#vms.values()];
  });

  /** Whether every VM of the host is here, or only those the page brought. */
  get complete(): ReadonlySignal<boolean> {
    return this.#complete;
  }

  /** Grows when loads have changed: for what depends on the loads of all VMs, such as an order. */
  get ticks(): ReadonlySignal<number> {
    return this.#ticks;
  }

  /** A VM; subscribes to changes of the list. */
  get(vmId: string): VM | undefined {
    this.#version.value;
    return this.#vms.get(vmId);
  }

  /** A VM as it is now, without subscribing. */
  peek(vmId: string): VM | undefined {
    return this.#vms.get(vmId);
  }

  /** The newest load of a VM. */
  stats(vmId: string): Signal<VmStats | undefined> {
    let found = this.#stats.get(vmId);
    if (found === undefined) {
      found = signal(this.#vms.get(vmId)?.stats);
      this.#stats.set(vmId, found);
    }
    return found;
  }

  /** CPU loads of a VM since the page was opened, the newest last; the same array for as long as it is known. */
  recentCpu(vmId: string): readonly number[] {
    let found = this.#recent.get(vmId);
    if (found === undefined) this.#recent.set(vmId, found = []);
    return found;
  }

  /** Takes the VMs a page was rendered with, as far as nothing newer is here. */
  seed(vms: readonly VM[], complete: boolean): void {
    if (this.#complete.peek()) return;
    batch(() => {
      for (const vm of vms) if (!this.#vms.has(vm.id)) this.#set(vm);
      this.#complete.value = complete;
      this.#version.value++;
    });
  }

  /** Takes the whole list: what is not in it is gone. */
  replace(vms: readonly VM[]): void {
    batch(() => {
      const known = new Set(vms.map(({ id }) => id));
      for (const id of this.#vms.keys()) if (!known.has(id)) this.#forget(id);
      for (const vm of vms) this.#set(vm);
      this.#complete.value = true;
      this.#version.value++;
      this.#ticks.value++;
    });
  }

  /** Takes a VM that is new or changed. */
  put(vm: VM): void {
    batch(() => {
      this.#set(vm);
      this.#version.value++;
    });
  }

  /** Forgets a deleted VM. */
  remove(vmId: string): void {
    batch(() => {
      this.#forget(vmId);
      this.#version.value++;
    });
  }

  /** Takes a new state; the rest of what changed with it follows in an update of the VM. */
  setState(vmId: string, state: VmState): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined || vm.state === state) return;
    this.put({ ...vm, state });
  }

  /** Takes a load. Of a VM that is not known, or is off by now, it means nothing. */
  setStats(stats: VmStats): void {
    const vm = this.#vms.get(stats.vmId);
    if (vm === undefined || !isLive(vm)) return;
    this.#keep(stats.vmId, stats.cpuUsagePercent);
    batch(() => {
      this.stats(stats.vmId).value = stats;
      this.#ticks.value++;
    });
  }

  #keep(vmId: string, percent: number | null): void {
    const recent = this.#recent.get(vmId);
    if (recent === undefined || percent === null) return; // it is not drawn
    recent.push(percent);
    if (recent.length > RECENT) recent.shift();
  }

  #clear(vmId: string): void {
    this.stats(vmId).value = undefined;
    this.#recent.get(vmId)?.splice(0);
  }

  #set(vm: VM): void {
    this.#vms.set(vm.id, vm);
    if (!isLive(vm)) this.#clear(vm.id);
    else if (vm.stats !== undefined) this.stats(vm.id).value = vm.stats;
  }

  #forget(vmId: string): void {
    this.#vms.delete(vmId);
    // Kept, not deleted: a cell may still listen, and the VM may come back under the same id.
    this.#clear(vmId);
  }
}
