/** Looks at each VM of a host as it is read, and says what another program has done to it that would go unnoticed. */
import type { VM } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { lostLabelsText } from "../../lib/vm/attention.ts";
import type { Host } from "../hosts/host.ts";

export class SeenVms implements Disposable {
  readonly #following: Disposable;

  constructor(private readonly host: Host) {
    this.#following = host.events.follow((events) =>
      host.app.knownVms.together(() => {
        for (const [name, data] of events) {
          if (name === "vm-created" || name === "vm-updated") this.#look(data.vm.id);
          else if (name === "vm-deleted" && host.inventory.vm(data.vmId) === undefined) {
            host.app.knownVms.gone(data.vmId);
          }
        }
      })
    );
  }

  /** The host was read whole. */
  whole(): void {
    const { inventory, app } = this.host;
    const all = inventory.everyVm();
    app.knownVms.together(() => {
      for (const { id } of all) this.#look(id);
      app.knownVms.reconcile(this.host.id, new Set(all.map(({ id }) => id)));
    });
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
  }

  /** What an operation of ours is about to change is looked at once it has ended. */
  #look(vmId: string): void {
    const { inventory, app: { knownVms } } = this.host, vm = inventory.vm(vmId);
    if (vm === undefined || vm.operation !== undefined) return;
    const { lost, replaced, accept } = knownVms.seen(vm, this.host.id);
    if (lost !== undefined) this.#record(vm, "labels-lost", lostLabelsText(vm.name, lost));
    if (replaced !== undefined) {
      const released = this.host.vmReplaced(vmId);
      accept?.();
      const before = oneLine(replaced.name, 60);
      const message =
        `Its id was that of ${before}, which was deleted. Backup copies of ${before} stay as they are` +
        (released.length === 0 ? "" : `; these no longer go by it: ${released.join(", ")}`);
      this.#record(vm, "id-reused", message);
    }
    const now = knownVms.get(vmId)?.lost ?? undefined;
    if (JSON.stringify(now) !== JSON.stringify(vm.lostLabels)) inventory.update(vmId, { lostLabels: now });
  }

  #record({ id, name }: VM, action: string, message: string): void {
    const by = { actor: "libvirt", door: "libvirt", result: "event" } as const;
    this.host.record({ ...by, action, vmId: id, vmName: name, message });
  }
}
