/** Earlier images of a VM's disks, kept in its metadata: copies of those are of the same disks. */
import { type Lineage, lineageIn, lineageXml, withSuccessor } from "../../lib/backup/replaced.ts";
import { RESTORED_PREFIX, RESTORED_URI } from "../../lib/formats/xml/metadata.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { DiskOrigin } from "../storage/disk_origin.ts";
import { setMetadata } from "./own_metadata.ts";

/** Changes what is kept. @throws as {@link setMetadata} */
export async function changeLineage(
  { link }: Pick<LibvirtHost, "link">,
  uuid: string,
  change: (kept: Lineage) => Lineage,
): Promise<void> {
  const place = { prefix: RESTORED_PREFIX, uri: RESTORED_URI };
  await setMetadata({ link }, uuid, place, (stored) => lineageXml(change(lineageIn(parseXml(stored)))));
}

/**
 * Notes that a disk goes on in another image: moved there, merged into it, or gone back to a snapshot. Where it cannot be noted, a
 * restore in place of an earlier copy does not find the disk, and says so.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function noteSuccessor(
  host: Pick<LibvirtHost, "link">,
  uuid: string,
  before: DiskOrigin | undefined,
  after: string,
): Promise<void> {
  if (before === undefined || before.path === after) return;
  try {
    await changeLineage(host, uuid, (kept) => withSuccessor(kept, before, after));
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("which image a disk was before could not be noted", { uuid, path: after, error });
  }
}
