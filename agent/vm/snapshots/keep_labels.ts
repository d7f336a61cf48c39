/** The tags and the group of a VM through a revert. */
import type { VM } from "../../../lib/contract/mod.ts";
import type { VmLabels } from "../../../lib/contract/vm.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { changeMetadata } from "../own_metadata.ts";

/**
 * Gives a VM the tags and the group back that it had before a revert: a snapshot has those of its time. Schedules and backups
 * go by them, and groups give people rights, which only who may change groups gives and takes.
 *
 * @throws {LibvirtError}
 */
export async function keepLabels(
  host: LibvirtHost,
  { id, tags, group }: Pick<VM, "id"> & VmLabels,
): Promise<void> {
  await host.inventory.refresh(id);
  const now = host.inventory.vm(id);
  const isSame = now?.group === group && now?.tags.join("\n") === tags.join("\n");
  if (!isSame) await changeMetadata(host, id, { tags, group });
}
