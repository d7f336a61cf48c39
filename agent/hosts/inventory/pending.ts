/**
 * What waits for the next boot of running VMs: found out after the list is there, in slices, because it takes a
 * second XML of each. Afterwards every read of a VM brings it along.
 */
import { LibvirtError } from "../../../ffi/error.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import type { Inventory } from "./inventory.ts";
import { isActiveState } from "./states.ts";

/** VMs asked about in one call: a slice takes tens of milliseconds, so nothing waits long behind it. */
const SLICE = 50;

/** Asks about every running VM of which it is not known yet, and tells the inventory. */
export async function findPending(link: LibvirtLink, inventory: Inventory): Promise<void> {
  const uuids = inventory.active().filter((uuid) => {
    const record = inventory.record(uuid);
    return record?.persistent && isActiveState(record.state) && record.pending === undefined;
  });
  for (let at = 0; at < uuids.length; at += SLICE) {
    try {
      const found = await link.call("domainPending", { uuids: uuids.slice(at, at + SLICE) });
      for (const { uuid, pending } of found) inventory.setPending(uuid, pending);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("what waits for a boot could not be read", { error });
    }
  }
}
