/** KVM Manager's own part of a VM's metadata. */
import { ContractError } from "../../lib/contract/mod.ts";
import { ownDomainMetadata, type OwnMetadata, summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { METADATA_PREFIX, METADATA_URI } from "../../lib/formats/xml/metadata.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** How often a change is made once more because another program changed the VM in the same moment. */
const MOST_TRIES = 10;

/**
 * Replaces the metadata element of a namespace by what is made of the VM's stored definition, as that is in the moment of the
 * change.
 *
 * @param make gives the element, null for none, from the secure XML of the next start
 * @throws {LibvirtError}
 * @throws {ContractError} UpdateFailed when another program keeps changing the VM
 */
export async function setMetadata(
  { link }: Pick<LibvirtHost, "link">,
  uuid: string,
  { prefix, uri }: { readonly prefix: string; readonly uri: string },
  make: (stored: string) => string | null,
): Promise<void> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const from = await link.call("domainXml", { uuid, secure: true, inactive: true });
    if (await link.call("domainSetMetadata", { uuid, xml: make(from), prefix, uri, from })) return;
  }
  throw new ContractError("UpdateFailed", { error: "another program keeps changing this VM. Try again." });
}

/** Changes a part of KVM Manager's own metadata, and leaves the rest. @throws as {@link setMetadata} */
export async function changeMetadata(
  { labels, link }: Pick<LibvirtHost, "labels" | "link">,
  uuid: string,
  change: Partial<OwnMetadata>,
): Promise<void> {
  const place = { prefix: METADATA_PREFIX, uri: METADATA_URI };
  await setMetadata({ link }, uuid, place, (stored) => {
    const { tags, group, createdAt, keptOsType, generatedPasswords } = summarizeDomain(stored);
    const after = { tags, group, createdAt, keptOsType, generatedPasswords, ...change };
    if ("tags" in change || "group" in change) labels.meant(uuid, after);
    return ownDomainMetadata(after);
  });
}
