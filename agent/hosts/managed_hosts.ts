/** All hosts that are served, of either kind: those that are read here come before linked ones. */
import type { VM } from "../../lib/contract/mod.ts";
import type { LinkedHosts } from "./linked/linked_hosts.ts";
import type { ManagedHost } from "./managed_host.ts";
import type { HostRegistry } from "./registry.ts";

export class ManagedHosts {
  constructor(
    private readonly here: Pick<
      HostRegistry,
      "all" | "named" | "remove" | "served" | "vm" | "vms" | "withVm"
    >,
    private readonly linked: Pick<LinkedHosts, "all" | "remove" | "served" | "vm" | "vms" | "withVm">,
  ) {}

  all(): readonly ManagedHost[] {
    return [...this.here.all(), ...this.linked.all()];
  }

  /** The host with exactly this id, if it is served. */
  served(id: string): ManagedHost | undefined {
    return this.here.served(id) ?? this.linked.served(id);
  }

  /** The host with this id, or the local one by its host name. */
  named(id: string): ManagedHost | undefined {
    return this.here.named(id) ?? this.linked.served(id);
  }

  /** Takes a host out of those that are served. It is not stopped. */
  remove({ id, isLinked }: ManagedHost): void {
    (isLinked ? this.linked : this.here).remove(id);
  }

  /** The host that a VM belongs to; undefined where none is known to have it, and where several claim it. */
  withVm(vmId: string): ManagedHost | undefined {
    return this.here.withVm(vmId) ?? this.linked.withVm(vmId);
  }

  vm(vmId: string): VM | undefined {
    return this.here.vm(vmId) ?? this.linked.vm(vmId);
  }

  vms(): readonly VM[] {
    const further = this.linked.vms();
    return further.length === 0 ? this.here.vms() : [...this.here.vms(), ...further];
  }
}
