/** The list's state in the browser: what is asked for, which rows that gives, what is selected. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { ConnectionStatus, VM } from "../contract/mod.ts";
import { awayHosts, hostIdOf, type ListedHost, vmHostOf } from "../host/listed.ts";
import { DEFAULT_QUERY, type ListQuery, listSearch, type StateFilter } from "../vm/list_query.ts";
import { countVms, filterVms, groupVms, sortsByLoad, sortVms, type VmGroup } from "../vm/list.ts";
import type { VmStore } from "./vm_store.ts";

/** Data that the page was rendered with: the first rows, as the server filtered and sorted them, and totals. */
export interface FirstRows {
  readonly vms: readonly VM[];
  /** How many VMs match the query. */
  readonly matching: number;
  readonly counts: Readonly<Record<StateFilter, number>>;
  readonly query: ListQuery;
  /** The hosts of all these VMs, where there are several. */
  readonly hosts: readonly ListedHost[];
}

/** How a host is now, as heard last; null where nothing was heard since the page was drawn. */
export type ConnectionOf = (host: string) => ReadonlySignal<ConnectionStatus | null>;

/** The list of VMs. */
export class VmListModel {
  readonly query: Signal<ListQuery>;
  readonly selected: Signal<ReadonlySet<string>> = signal(new Set());
  /** How many VMs each filter shows. */
  readonly counts: ReadonlySignal<Readonly<Record<StateFilter, number>>>;
  /** The rows, in order. */
  readonly rows: ReadonlySignal<readonly VM[]>;
  readonly groups: ReadonlySignal<readonly VmGroup[]>;
  /** How many rows there are, those included that are still on their way. */
  readonly matching: ReadonlySignal<number>;
  /** The VMs to act on: selected, shown, and not of a host that is away. What an event took out of sight is not touched. */
  readonly selectedVms: ReadonlySignal<readonly VM[]>;
  /** How many rows can be selected: those of hosts that are away cannot. */
  readonly selectable: ReadonlySignal<number>;
  /** Whether more rows are on their way. */
  readonly loading: ReadonlySignal<boolean>;
  /** Host, as VMs name it → its display name, for lists of several hosts: rows then show theirs. */
  readonly hostLabels: ReadonlyMap<string, string>;
  /** The hosts that are away, by their ids. */
  readonly away: ReadonlySignal<ReadonlyMap<string, ListedHost>>;
  readonly #store: VmStore;
  readonly #hosts: readonly ListedHost[];
  #anchor: string | undefined;

  constructor(store: VmStore, first: FirstRows, connectionOf: ConnectionOf) {
    this.#store = store;
    this.#hosts = first.hosts;
    this.hostLabels = new Map(first.hosts.map((host) => [vmHostOf(host), host.label]));
    this.away = computed(() => awayHosts(first.hosts, (id) => connectionOf(id).value));
    this.query = signal(first.query);
    const { complete } = store;
    this.loading = computed(() => !complete.value && first.matching > first.vms.length);
    this.counts = computed(() => complete.value ? countVms(store.all.value) : first.counts);
    this.rows = computed(() => {
      const query = this.query.value;
      if (!complete.value && query === first.query) {
        return first.vms.map(({ id }) => store.get(id)).filter((vm) => vm !== undefined);
      }
      if (sortsByLoad(query.sort)) store.ticks.value;
      return sortVms(filterVms(store.all.value, query), query, ({ id }) => store.stats(id).peek());
    });
    this.groups = computed(() => groupVms(this.rows.value, this.query.value.by));
    this.matching = computed(() =>
      !complete.value && this.query.value === first.query ? first.matching : this.rows.value.length
    );
    this.selectable = computed(() =>
      this.away.value.size === 0
        ? this.rows.value.length
        : this.rows.value.filter((vm) => this.awayOf(vm) === undefined).length
    );
    this.selectedVms = computed(() => {
      const selected = this.selected.value;
      return selected.size === 0
        ? []
        : this.rows.value.filter((vm) => selected.has(vm.id) && this.awayOf(vm) === undefined);
    });
  }

  /** The VM's host while that is away: what is shown of the VM is as old, and nothing can be done to it. */
  awayOf(vm: VM): ListedHost | undefined {
    const away = this.away.value;
    return away.size === 0 ? undefined : away.get(hostIdOf(vm, this.#hosts));
  }

  /** Changes what is asked for. VMs that are no longer shown are no longer selected, either. */
  ask(change: Partial<ListQuery>): void {
    this.query.value = { ...this.query.peek(), page: DEFAULT_QUERY.page, ...change };
    const shown = new Set(this.rows.peek().map(({ id }) => id));
    const kept = [...this.selected.peek()].filter((id) => shown.has(id));
    if (kept.length !== this.selected.peek().size) this.selected.value = new Set(kept);
  }

  /** The query as the page's address. */
  get search(): string {
    return listSearch(this.query.value);
  }

  /** Selects a VM, or no longer. With `range`, all from the one chosen last. */
  toggle(vmId: string, range = false): void {
    const selected = new Set(this.selected.peek());
    const choose = !selected.has(vmId);
    const ids = range ? this.#between(this.#anchor, vmId) : [vmId];
    for (const id of ids) {
      if (choose || range) selected.add(id);
      else selected.delete(id);
    }
    this.#anchor = vmId;
    this.selected.value = selected;
  }

  /** Selects all rows, or none when all are. */
  toggleAll(): void {
    const ids = this.rows.peek().filter((vm) => this.awayOf(vm) === undefined).map(({ id }) => id);
    const all = ids.every((id) => this.selected.peek().has(id));
    this.selected.value = new Set(all ? [] : ids);
  }

  /** Selects nothing. */
  clear(): void {
    this.selected.value = new Set();
  }

  /** The load of a VM, for its cells. */
  stats(vmId: string) {
    return this.#store.stats(vmId);
  }

  /** CPU loads of a VM since the page was opened, for its sparkline. */
  recentCpu(vmId: string) {
    return this.#store.recentCpu(vmId);
  }

  #between(from: string | undefined, to: string): string[] {
    const ids = this.groups.peek().flatMap(({ vms }) => vms.map(({ id }) => id));
    const a = from === undefined ? -1 : ids.indexOf(from);
    const b = ids.indexOf(to);
    return a < 0 ? [to] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  }
}
