/** The images that are the content of external snapshots, by VM: they must not be written to, although no VM has them. */
import type { SnapshotSummary } from "../../../lib/formats/xml/snapshot.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import type { Keeper, KeptPath } from "../../storage/volume_keepers.ts";
import { contentsOf, scan } from "./scan.ts";

export class SnapshotImages {
  readonly #host: Pick<LibvirtHost, "link" | "inventory">;
  /** VM's id → path → name of a snapshot. */
  readonly #byVm = new Map<string, ReadonlyMap<string, readonly string[]>>();

  constructor(host: Pick<LibvirtHost, "link" | "inventory">) {
    this.#host = host;
  }

  /** Keeps the images of snapshots from deletion. */
  readonly keeper: Keeper = () => {
    const kept: KeptPath[] = [];
    for (const [id, contents] of this.#byVm) {
      const vm = this.#host.inventory.vm(id);
      if (vm === undefined) continue;
      for (const [path, names] of contents) {
        kept.push({ path, keeper: `snapshot ${names[0]} of ${vm.name}`, owner: id });
      }
    }
    return kept;
  };

  /** Takes note of the snapshots that a VM has now. */
  take(vmId: string, snapshots: readonly SnapshotSummary[]): void {
    const contents = contentsOf(snapshots);
    if (contents.size === 0) this.#byVm.delete(vmId);
    else this.#byVm.set(vmId, contents);
  }

  /** Reads those of all VMs. What cannot be read is told of by whoever needs it. */
  async read(): Promise<void> {
    for (const vm of this.#host.inventory.vms()) {
      if (!vm.persistent) continue;
      try {
        this.take(vm.id, await scan(this.#host, vm));
      } catch (error) {
        log.debug("the snapshots of a VM could not be read", { vm: vm.name, error });
      }
    }
  }
}
