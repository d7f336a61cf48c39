/** Every host that is served, and which of them a call is about. */
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Host } from "./host.ts";

export class HostRegistry {
  readonly #hosts = new Map<string, Host>();

  /** Adds a host. @throws {Error} when one has its id */
  add(host: Host): void {
    if (this.#hosts.has(host.id)) throw new Error(`there are two hosts ${host.id}`);
    this.#hosts.set(host.id, host);
  }

  /** All of them, the local one first. */
  all(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** The host KVM Manager runs on. */
  get local(): Host {
    return this.#hosts.get(LOCAL_HOST)!;
  }

  /** The host with this id, or the name its VMs tell. @throws {ContractError} HostNotFound */
  require(id: string): Host {
    const host = this.#hosts.get(id);
    if (host) return host;
    if (id === this.local.inventory.hostname) return this.local;
    throw new ContractError("HostNotFound", { host: id.slice(0, 64) });
  }

  /** The host that a call is about: the one it names, else the one that has its VM, else the local one. @throws {ContractError} HostNotFound */
  of(input: unknown): Host {
    const { host, vmId } = (input ?? {}) as { host?: unknown; vmId?: unknown };
    if (typeof host === "string") return this.require(host);
    return (typeof vmId === "string" ? this.withVm(vmId) : undefined) ?? this.local;
  }

  /**
   * The host that has a VM; undefined where none is known to. A migration may leave the VM's definition behind: of two
   * that have it, the one where it is not off, else the local one.
   */
  withVm(vmId: string): Host | undefined {
    let off: Host | undefined;
    for (const host of this.#hosts.values()) {
      const vm = host.inventory.vm(vmId);
      if (vm !== undefined && vm.state !== "stopped") return host;
      if (vm !== undefined) off ??= host;
    }
    return off;
  }

  vm(vmId: string): VM | undefined {
    return this.withVm(vmId)?.inventory.vm(vmId);
  }

  /** The VMs of all hosts, those of the local one first. A definition that stayed behind is left out where {@link withVm} has another. */
  vms(): readonly VM[] {
    const all = this.all();
    if (all.length === 1) return all[0]!.inventory.vms();
    return all.flatMap((host) =>
      host.inventory.vms().filter(({ id, state }) => state !== "stopped" || this.withVm(id) === host)
    );
  }
}
