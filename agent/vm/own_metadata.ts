/** What KVM Manager keeps in a VM's metadata. */
import { ownDomainMetadata, type OwnMetadata } from "../../lib/formats/xml/domain.ts";
import { METADATA_PREFIX, METADATA_URI } from "../../lib/formats/xml/metadata.ts";
import type { Host } from "../hosts/host.ts";

/** Changes a part of it, and leaves the rest. @throws {LibvirtError} */
export async function changeMetadata(
  { app, link, inventory }: Host,
  uuid: string,
  change: Partial<OwnMetadata>,
): Promise<void> {
  const { tags, group, createdAt, keptOsType, generatedPasswords } = inventory.record(uuid)!.summary;
  const after = { tags, group, createdAt, keptOsType, generatedPasswords, ...change };
  const xml = ownDomainMetadata(after);
  if ("tags" in change || "group" in change) app.knownVms.meant(uuid, after);
  await link.call("domainSetMetadata", { uuid, xml, prefix: METADATA_PREFIX, uri: METADATA_URI });
}
