/** Sizes of disks: found out after the list is there, in slices, because each costs a look at a file. */
import { LibvirtError } from "../../ffi/error.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import type { Inventory } from "./inventory.ts";

/** Machines asked about in one call: a slice takes tens of milliseconds, so nothing waits long behind it. */
const SLICE = 50;

export class DiskSizes {
  /** What the sizes were read for, by machine: sources of its disks and whether it ran. */
  readonly #known = new Map<string, string>();
  #running = false;

  constructor(readonly link: LibvirtLink, readonly inventory: Inventory) {}

  /** Forgets everything: the next update asks about all disks again. */
  forget(): void {
    this.#known.clear();
  }

  /** Asks about disks that are new, changed, or whose machine has started or stopped since. */
  async update(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const wanted = this.inventory.vms().flatMap((vm) => {
        const disks = vm.disks.filter((disk) => disk.source !== undefined);
        const key = JSON.stringify([vm.state, disks.map((disk) => [disk.target, disk.source])]);
        if (this.#known.get(vm.id) === key) return [];
        this.#known.set(vm.id, key);
        return disks.length > 0 ? [{ uuid: vm.id, targets: disks.map((disk) => disk.target) }] : [];
      });
      for (let at = 0; at < wanted.length; at += SLICE) await this.#ask(wanted.slice(at, at + SLICE));
    } finally {
      this.#running = false;
    }
  }

  async #ask(domains: { uuid: string; targets: string[] }[]): Promise<void> {
    try {
      for (const { uuid, disks } of await this.link.call("domainDiskSizes", { domains })) {
        this.inventory.update(uuid, { sizes: new Map(disks.map(({ target, ...size }) => [target, size])) });
      }
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // One file on a dead server can hold up its slice: sizes stay unknown, which is what is shown.
      log.debug("disk sizes could not be read", { error, machines: domains.length });
    }
  }
}
