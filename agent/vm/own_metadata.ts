/** What KVM Manager keeps in a VM's metadata. */
import { ownDomainMetadata, type OwnMetadata } from "../../lib/formats/xml/domain.ts";
import { METADATA_PREFIX, METADATA_URI } from "../../lib/formats/xml/metadata.ts";
import type { Host } from "../hosts/host.ts";

/** Changes a part of it, and leaves the rest. @throws {LibvirtError} */
export async function changeMetadata(
  { link, inventory }: Host,
  uuid: string,
  change: Partial<OwnMetadata>,
): Promise<void> {
  const { tags, group, createdAt, keptOsType, generatedPasswords } = inventory.record(uuid)!.summary;
  const xml = ownDomainMetadata({ tags, group, createdAt, keptOsType, generatedPasswords, ...change });
  await link.call("domainSetMetadata", { uuid, xml, prefix: METADATA_PREFIX, uri: METADATA_URI });
}
