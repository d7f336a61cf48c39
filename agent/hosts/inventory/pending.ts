/**
 * Changes that wait for the next boot of running VMs: read after the list, because they need a second XML of
 * each. Afterwards every read of a VM includes them.
 */
import { LibvirtError } from "../../../ffi/error.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import type { Inventory } from "./inventory.ts";
import { isActiveState } from "./states.ts";

/** Asks about every running VM of which it is not known yet, one after the other, and tells the inventory. */
export async function findPending(link: LibvirtLink, inventory: Inventory): Promise<void> {
  for (const uuid of inventory.active()) {
    const record = inventory.record(uuid);
    if (!record?.persistent || !isActiveState(record.state) || record.pending !== undefined) continue;
    try {
      const pending = await link.call("domainPending", { uuid });
      if (pending !== null) inventory.setPending(uuid, pending);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("what waits for a boot could not be read", { vm: record.name, error });
    }
  }
}
