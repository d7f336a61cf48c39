/**
 * Sizes of disks: found out after the list is there, in slices, because each costs a look at a file. A VM's bulk
 * statistics are no source: for a running one their `allocation` is the highest offset written since its start
 * (0 for a fresh qcow2), not what the image takes on the host (libvirt 9.0).
 */
import { LibvirtError } from "../../../ffi/error.ts";
import { type Clock, SYSTEM_CLOCK } from "../../clock.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import type { Inventory } from "./inventory.ts";

/** VMs asked about in one call: a slice takes tens of milliseconds, so nothing waits long behind it. */
const SLICE = 50;
/**
 * Milliseconds until disks are asked about again: those of a running VM grow, one that is missing may be put back; the
 * others can only go missing, or be changed by who knows what he does.
 */
const AGAIN_MS = { growing: 30_000, missing: 30_000, still: 300_000 } as const;

export class DiskSizes {
  /** What the sizes were read for, by VM: sources of its disks and whether it ran. */
  readonly #known = new Map<string, { key: string; at: number; isMissing: boolean }>();
  #running = false;

  constructor(
    readonly link: LibvirtLink,
    readonly inventory: Inventory,
    readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Forgets everything: the next update asks about all disks again. */
  forget(): void {
    this.#known.clear();
  }

  /** Asks about disks that are new, changed, or whose VM has started or stopped since. */
  async update(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const wanted = this.inventory.vms().flatMap((vm) => {
        const disks = vm.disks.filter((disk) => disk.source !== undefined);
        const key = JSON.stringify([vm.state, disks.map((disk) => [disk.target, disk.source])]);
        const known = this.#known.get(vm.id);
        if (known?.key === key) {
          if (vm.state === "running" && !vm.responsive) return []; // asking one that hangs would hold up its slice
          const again = known.isMissing ? "missing" : vm.state === "running" ? "growing" : "still";
          if (this.clock.monotonic() - known.at < AGAIN_MS[again]) return [];
        }
        this.#known.set(vm.id, { key, at: this.clock.monotonic(), isMissing: false });
        return disks.length > 0 ? [{ uuid: vm.id, targets: disks.map((disk) => disk.target) }] : [];
      });
      for (let at = 0; at < wanted.length; at += SLICE) await this.#ask(wanted.slice(at, at + SLICE));
    } finally {
      this.#running = false;
    }
  }

  /** Asks about one VM's disks now. */
  async read(uuid: string): Promise<void> {
    const disks = this.inventory.vm(uuid)?.disks.filter((disk) => disk.source !== undefined) ?? [];
    if (disks.length > 0) await this.#ask([{ uuid, targets: disks.map((disk) => disk.target) }]);
  }

  async #ask(domains: { uuid: string; targets: string[] }[]): Promise<void> {
    try {
      for (const { uuid, disks, missing } of await this.link.call("domainDiskSizes", { domains })) {
        const sizes = new Map(disks.map(({ target, ...size }) => [target, size]));
        const sources = this.inventory.vm(uuid)?.disks.filter(({ target }) => missing.includes(target))
          .map(({ source }) => source);
        this.inventory.update(uuid, { sizes, missing: new Set(sources) });
        const known = this.#known.get(uuid);
        if (known) known.isMissing = missing.length > 0;
      }
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // One file on a dead server can hold up its slice: sizes stay unknown, which is what is shown.
      log.debug("disk sizes could not be read", { error, vms: domains.length });
    }
  }
}
