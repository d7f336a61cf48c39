/** Calls on the checkpoints of a domain: from each on, QEMU notes which parts of the disks are written. */
import { type Connection, Handle, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok } from "../library.ts";
import { cString, readString } from "../memory.ts";

/** `VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY`: what QEMU has of it stays in the disks. */
const METADATA_ONLY = 2;

const free = (pointer: Deno.PointerValue) => libvirt().symbols.virDomainCheckpointFree(pointer);

/** The names of all checkpoints; none where the driver has no checkpoints. Source: virDomainListAllCheckpoints. */
export function checkpointNames(connection: Connection, { uuid }: { uuid: string }): string[] {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  try {
    const { array, items } = listOf((out) => symbols.virDomainListAllCheckpoints(domain.pointer, out, 0));
    return readList(array, items, free, (item) => readString(symbols.virDomainCheckpointGetName(item)));
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_SUPPORT) return [];
    throw error;
  }
}

/**
 * Deletes a checkpoint; one that is gone is no error. Source: virDomainCheckpointDelete.
 *
 * @param metadataOnly what the disks have of it stays: for a domain that is off, or disks that have lost it
 */
export function checkpointDelete(
  connection: Connection,
  { uuid, name, metadataOnly }: { uuid: string; name: string; metadataOnly: boolean },
): null {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  try {
    using checkpoint = new Handle(
      notNull(symbols.virDomainCheckpointLookupByName(domain.pointer, cString(name), 0)),
      free,
    );
    ok(symbols.virDomainCheckpointDelete(checkpoint.pointer, metadataOnly ? METADATA_ONLY : 0));
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_DOMAIN_CHECKPOINT) throw error;
  }
  return null;
}
