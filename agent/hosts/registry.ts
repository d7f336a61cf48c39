/** Every host that is served, and which of them a call is about. */
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { type Ownership, ownership } from "./owners.ts";

/** Last known host of each VM. */
export interface KeptOwners {
  /** Id of that host; undefined for a VM that was never seen, or that is gone. */
  hostOf(vmId: string): string | undefined;
}

/** A VM that a host has although its id is another host's, or may be. */
export interface ForeignVm {
  readonly vmId: string;
  readonly name: string;
  /** Ids of the hosts that it belongs to: one, or several where that is not known. */
  readonly owners: string[];
}

export class HostRegistry {
  readonly #hosts = new Map<string, LibvirtHost>();
  /** Id of each VM that a host has and another one owns → the host that shows it; null where none does. */
  readonly #contested = new Map<string, string | null>();

  /** @param isDisabled whether a host is kept, and not served */
  constructor(
    private readonly kept: KeptOwners,
    private readonly isDisabled: (hostId: string) => boolean = () => false,
  ) {}

  /** Adds a host. @throws {Error} when one has its id */
  add(host: LibvirtHost): void {
    if (this.#hosts.has(host.id)) throw new Error(`there are two hosts ${host.id}`);
    this.#hosts.set(host.id, host);
  }

  /** Takes a host out. VMs of others that were hidden because of it are shown again. */
  remove(id: string): void {
    this.#hosts.delete(id);
    for (const vmId of [...this.#contested.keys()]) this.#place(vmId);
    this.#tellSettled();
  }

  /** All of them, the local one first. */
  all(): readonly LibvirtHost[] {
    return [...this.#hosts.values()];
  }

  /** The host KVM Manager runs on. */
  get local(): LibvirtHost {
    return this.#hosts.get(LOCAL_HOST)!;
  }

  /** The host with this id, or the name its VMs tell. @throws {ContractError} HostNotFound */
  require(id: string): LibvirtHost {
    const host = this.named(id);
    if (host) return host;
    throw new ContractError("HostNotFound", { host: id.slice(0, 64) });
  }

  /** The host with exactly this id, if it is served. */
  served(id: string): LibvirtHost | undefined {
    return this.#hosts.get(id);
  }

  /** As {@link HostRegistry.require}; undefined where there is none. */
  named(id: string): LibvirtHost | undefined {
    return this.#hosts.get(id) ?? (id === this.local.inventory.hostname ? this.local : undefined);
  }

  /**
   * The host that a call is about: the one it names, else the one that its VM belongs to, else the local one.
   *
   * @throws {ContractError} HostNotFound; VmNotFound where the VM is another host's than the one named; VmOnSeveralHosts
   */
  of(input: unknown): LibvirtHost {
    const { host, vmId } = (input ?? {}) as { host?: unknown; vmId?: unknown };
    const named = typeof host === "string" ? this.require(host) : undefined;
    if (typeof vmId !== "string" || this.#isAlone(vmId)) return named ?? this.local;
    const owner = this.#owner(vmId);
    if (owner.kind === "ambiguous") {
      throw new ContractError("VmOnSeveralHosts", {
        vmId,
        hosts: owner.hosts.map(({ id }) => id).join(", "),
      });
    }
    if (owner.kind === "free") return named ?? this.local;
    if (named !== undefined && named !== owner.host) throw new ContractError("VmNotFound", { vmId });
    return owner.host;
  }

  /** Whether no other host can have a VM. */
  #isAlone(vmId: string): boolean {
    if (this.#hosts.size > 1) return false;
    const kept = this.kept.hostOf(vmId);
    return kept === undefined || kept === LOCAL_HOST || !this.isDisabled(kept);
  }

  #owner(vmId: string): Ownership<LibvirtHost> {
    const kept = this.kept.hostOf(vmId);
    if (kept === undefined || this.#hosts.has(kept) || !this.isDisabled(kept)) {
      return ownership(this.all(), vmId, kept);
    }
    // It stays a disabled host's: who claims it meanwhile gets nothing by it
    const hosts = this.all().filter(({ inventory }) => inventory.anyVm(vmId) !== undefined);
    return hosts.length === 0 ? { kind: "free" } : { kind: "ambiguous", hosts };
  }

  /** The host that a VM belongs to; undefined where none is known to have it, and where several claim it. */
  withVm(vmId: string): LibvirtHost | undefined {
    if (this.#isAlone(vmId)) return this.local.inventory.vm(vmId) && this.local;
    const owner = this.#owner(vmId);
    return owner.kind === "owned" ? owner.host : undefined;
  }

  /** Whether any host has a VM, or one had it last that is disabled, or was not read since the start. */
  isKnown(vmId: string): boolean {
    if (this.all().some(({ inventory }) => inventory.anyVm(vmId) !== undefined)) return true;
    const last = this.kept.hostOf(vmId);
    if (last === undefined) return false;
    const host = this.#hosts.get(last);
    return host === undefined ? this.isDisabled(last) : !host.inventory.filled;
  }

  vm(vmId: string): VM | undefined {
    return this.withVm(vmId)?.inventory.vm(vmId);
  }

  /** Hosts that were not read since the start: lists have nothing of them. */
  missing(): readonly LibvirtHost[] {
    return this.all().filter(({ inventory }) => !inventory.filled);
  }

  /**
   * Refuses a list of all hosts while none was read: "unknown" must not look like "none". Of several hosts what is known is
   * listed, and the others are named.
   *
   * @throws {ContractError} LibvirtUnavailable
   */
  requireAnyFilled(): this {
    if (this.missing().length === this.#hosts.size) this.local.requireFilled();
    return this;
  }

  /** The VMs of all hosts, those of the local one first. Inventories leave out what is another host's. */
  vms(): readonly VM[] {
    const all = this.all();
    return all.length === 1 ? all[0]!.inventory.vms() : all.flatMap(({ inventory }) => inventory.vms());
  }

  /** Whether a VM that a host has is not its own: the id is another host's, or it is not known whose. */
  isForeign(hostId: string, vmId: string): boolean {
    if (this.#isAlone(vmId)) return false;
    const owner = this.#owner(vmId);
    return owner.kind === "ambiguous" || (owner.kind === "owned" && owner.host.id !== hostId);
  }

  /** VMs of a host that are left out of everything, because their ids are others'. */
  foreignOn({ id, inventory }: LibvirtHost): ForeignVm[] {
    return [...this.#contested.keys()].flatMap((vmId) => {
      const vm = inventory.anyVm(vmId), owner = this.#owner(vmId);
      if (vm === undefined || owner.kind === "free" || owner.kind === "owned" && owner.host.id === id) {
        return [];
      }
      const owners = owner.kind === "owned" ? [owner.host.id] : owner.hosts.map((each) => each.id);
      return [{ vmId, name: vm.name, owners: owners.filter((each) => each !== id) }];
    });
  }

  /** A VM was read, or is gone, on some host: shows it on the host that it belongs to now. */
  placed(vmId: string): void {
    if (!this.#isAlone(vmId)) this.#place(vmId);
  }

  #place(vmId: string): void {
    const owner = this.#owner(vmId), shown = owner.kind === "owned" ? owner.host : undefined;
    const before = this.#contested.get(vmId);
    const isContested = this.all().some((host) => host !== shown && host.inventory.anyVm(vmId) !== undefined);
    if (isContested) this.#contested.set(vmId, shown?.id ?? null);
    else this.#contested.delete(vmId);
    if (before === undefined || shown === undefined || before === shown.id) return;
    // The event that it is gone from the host before comes first
    queueMicrotask(() => shown.inventory.reveal(vmId));
  }

  /** Whether each host was read since the start, or is known not to answer. */
  get areSettled(): boolean {
    return this.all().every(({ isSettled }) => isSettled);
  }

  /** A host was read whole, or is known not to answer: VMs that it has no more may be other hosts'. */
  wasRead(): void {
    if (this.#hosts.size === 1) return;
    for (const vmId of [...this.#contested.keys()]) this.#place(vmId);
    this.#tellSettled();
  }

  #tellSettled(): void {
    if (!this.areSettled) return;
    for (const host of this.#hosts.values()) host.features.hostsSettled();
  }
}
