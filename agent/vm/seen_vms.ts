/** Looks at each VM of a host as it is read, and says what another program has done to it that would go unnoticed. */
import type { VM } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { lostLabelsText } from "../../lib/vm/attention.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { KnownVm, KnownVms } from "./known_vms.ts";

const releaseKey = (vmId: string) => `things of the VM that had the id ${vmId} before`;

/** Records that the VMs are compared with. */
export interface SeenVmServices {
  readonly knownVms: KnownVms;
  readonly store: Pick<Store, "again" | "forget">;
  /** Whether the other hosts were read, or it is known that they cannot be. */
  readonly areHostsSettled: () => boolean;
}

export class SeenVms implements Disposable {
  readonly #following: Disposable;
  /** Id → what goes by it no more, of VMs whose predecessor's things could not all be taken from them yet. */
  readonly #released = new Map<string, readonly string[]>();
  /** Ids of VMs of which libvirt has told all that became of them since they were looked at. */
  readonly #watched = new Set<string>();

  constructor(private readonly host: LibvirtHost, private readonly services: SeenVmServices) {
    const { knownVms } = services;
    this.#following = host.events.follow((events) =>
      knownVms.together(() => {
        for (const [name, data] of events) {
          if (name === "vm-created" || name === "vm-updated") this.#look(data.vm.id);
          else if (name === "vm-deleted" && host.inventory.vm(data.vmId) === undefined) {
            this.#watched.delete(data.vmId);
            knownVms.gone(data.vmId);
          }
        }
      })
    );
  }

  /** libvirt tells nothing until it is connected again. */
  disconnected(): void {
    this.#watched.clear();
  }

  /** The host was read whole. */
  whole(): void {
    const { knownVms } = this.services, { inventory } = this.host;
    const all = inventory.everyVm();
    knownVms.together(() => {
      for (const { id } of all) this.#look(id);
      knownVms.reconcile(this.host.id, new Set(all.map(({ id }) => id)));
    });
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
    for (const id of this.#released.keys()) this.services.store.forget(releaseKey(id));
  }

  /**
   * Compares a VM with its record; while an operation of ours changes the VM, not before that has ended. A VM that was
   * never seen is taken for this host's once the other hosts were read, too: where one of them has the same id, its
   * owner is not known.
   */
  #look(vmId: string): void {
    const { knownVms } = this.services, { inventory } = this.host, vm = inventory.vm(vmId);
    if (vm === undefined || vm.operation !== undefined) return;
    if (knownVms.get(vmId) === undefined && !this.services.areHostsSettled()) return;
    const { lost, replaced, accept } = knownVms.seen(
      vm,
      this.host.id,
      this.#watched.has(vmId),
    );
    if (lost !== undefined) this.#record(vm, "labels-lost", lostLabelsText(vm.name, lost));
    const message = replaced && this.#release(vm, replaced),
      isReleased = replaced === undefined || message !== undefined;
    if (isReleased) accept?.();
    // What was told of the id before that moment is of the other VM
    if (message !== undefined) this.#record(vm, "id-reused", message);
    // One that still has what was another's is compared once more
    if (isReleased && knownVms.isRead) this.#watched.add(vmId);
    const now = knownVms.get(vmId)?.lost ?? undefined;
    if (JSON.stringify(now) !== JSON.stringify(vm.lostLabels)) inventory.update(vmId, { lostLabels: now });
  }

  /**
   * Takes from a VM the objects that were given to the one that had its id before.
   *
   * @returns a text for the user; undefined where the release is not complete
   */
  #release(vm: VM, replaced: KnownVm): string | undefined {
    const { id } = vm,
      { store } = this.services,
      { released: now, errors } = this.host.features.vmReplaced(id);
    const released = [...this.#released.get(id) ?? [], ...now];
    if (errors.length > 0) {
      if (!this.#released.has(id)) {
        log.warn("what goes by the id of a deleted VM could not be released", {
          vm: vm.name,
          error: errors[0],
        });
      }
      this.#released.set(id, released);
      store.again(releaseKey(id), () => this.#look(id));
      return undefined;
    }
    this.#released.delete(id);
    const before = oneLine(replaced.name, 60);
    return `Its id was that of ${before}, which was deleted. Backup copies of ${before} stay as they are` +
      (released.length === 0 ? "" : `; these no longer go by it: ${released.join(", ")}`);
  }

  #record({ id, name }: VM, action: string, message: string): void {
    const by = { actor: "libvirt", door: "libvirt", result: "event" } as const;
    this.host.record({ ...by, action, vmId: id, vmName: name, message });
  }
}
