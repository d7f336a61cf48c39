/**
 * VMs that run although libvirt takes them for off. libvirtd that was killed cannot always read again what it wrote
 * down of a running VM: libvirt 9.0 leaves a merge of images that has just ended in a form that it refuses ("unknown
 * mirror job type"). QEMU goes on then, with the disks open, and libvirt does not report it: its images would be copied, changed
 * or deleted under it.
 */
import type { DomainState } from "../../ffi/calls/mod.ts";
import { isHang } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { argumentsOf } from "../machine/processes.ts";
import type { Inventory } from "./inventory/inventory.ts";
import { isActiveState } from "./inventory/states.ts";
import { vmOfQemu } from "../machine/qemu_processes.ts";

/** Lost VMs of one host; none for a remote one, whose processes cannot be seen. */
export class LostVms {
  readonly #pids = new Map<string, number>();

  constructor(
    private readonly link: Pick<LibvirtLink, "call" | "machine">,
    private readonly inventory: Pick<Inventory, "update">,
  ) {}

  /** Whether there are any. */
  get any(): boolean {
    return this.#pids.size > 0;
  }

  /** The process that runs a VM which libvirt has lost. */
  pidOf(vmId: string): number | undefined {
    return this.#pids.get(vmId);
  }

  /**
   * States of VMs by libvirt; if its list waits for a VM that does not respond, only of those that a QEMU
   * runs for.
   */
  async #states(running: Iterable<string>): Promise<Pick<DomainState, "uuid" | "name" | "active">[]> {
    try {
      return await this.link.call("domainListStates");
    } catch (error) {
      if (!isHang(error)) throw error;
      log.info("VMs are asked one by one whether libvirt knows that they run", { error });
    }
    const found = await Promise.all([...new Set([...running, ...this.#pids.keys()])].map(async (uuid) => {
      try {
        const record = await this.link.call("domainRead", { uuid });
        return record === null ? [] : [{ uuid, name: record.name, active: isActiveState(record.state) }];
      } catch (error) {
        if (!isHang(error)) throw error;
        return [{ uuid, name: uuid, active: !this.#pids.has(uuid) }];
      }
    }));
    return found.flat();
  }

  /**
   * Looks for them again: VMs get lost when libvirt is started again, and come to their end at any time.
   *
   * @throws {LibvirtError}
   */
  async look(): Promise<void> {
    const { machine } = this.link;
    if (machine === null) return;
    // In this order: libvirt knows of a VM before it starts QEMU for it, and until that has ended.
    const running = await machine.processes.all();
    const states = await this.#states(running.keys());
    const known = new Set(states.map(({ uuid }) => uuid));
    for (const uuid of this.#pids.keys()) {
      if (!known.has(uuid)) this.#pids.delete(uuid);
    }
    for (const { uuid, name, active } of states) {
      const seen = active ? undefined : running.get(uuid);
      const pid = seen !== undefined && vmOfQemu(await argumentsOf(seen)) === uuid ? seen : undefined;
      if (pid === this.#pids.get(uuid)) continue;
      if (pid === undefined) {
        this.#pids.delete(uuid);
        log.info("a VM that libvirt had lost has ended, or is known again", { vm: name });
      } else {
        this.#pids.set(uuid, pid);
        log.warn("a VM runs that libvirt takes for off", { vm: name, pid });
      }
      this.inventory.update(uuid, { lostPid: pid });
    }
  }
}
