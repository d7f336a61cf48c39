/** The group of a VM through a revert. */
import type { VM } from "../../../lib/contract/mod.ts";
import type { Host } from "../../hosts/host.ts";
import { changeMetadata } from "../own_metadata.ts";

/**
 * Leaves a VM in the group that it was in before a revert: a snapshot has that of its time, and groups give people rights,
 * which only who may change groups gives and takes.
 *
 * @throws {LibvirtError}
 */
export async function keepGroup(host: Host, { id, group }: Pick<VM, "id" | "group">): Promise<void> {
  await host.inventory.refresh(id);
  if (host.inventory.vm(id)?.group !== group) await changeMetadata(host, id, { group });
}
