/** What KVM Manager keeps in a VM's metadata. */
import { ContractError } from "../../lib/contract/mod.ts";
import { ownDomainMetadata, type OwnMetadata, summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { METADATA_PREFIX, METADATA_URI } from "../../lib/formats/xml/metadata.ts";
import type { Host } from "../hosts/host.ts";

/** How often a change is made once more because another program changed the VM in the same moment. */
const MOST_TRIES = 10;

/**
 * Changes a part of it, and leaves the rest as it is in the moment of the change.
 *
 * @throws {LibvirtError}
 * @throws {ContractError} UpdateFailed when another program keeps changing the VM
 */
export async function changeMetadata(
  { app, link }: Pick<Host, "app" | "link">,
  uuid: string,
  change: Partial<OwnMetadata>,
): Promise<void> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const from = await link.call("domainXml", { uuid, secure: true, inactive: true });
    const { tags, group, createdAt, keptOsType, generatedPasswords } = summarizeDomain(from);
    const after = { tags, group, createdAt, keptOsType, generatedPasswords, ...change };
    if ("tags" in change || "group" in change) app.knownVms.meant(uuid, after);
    const kept = { uuid, xml: ownDomainMetadata(after), prefix: METADATA_PREFIX, uri: METADATA_URI, from };
    if (await link.call("domainSetMetadata", kept)) return;
  }
  throw new ContractError("UpdateFailed", { error: "another program keeps changing this VM. Try again." });
}
