/** Disk driver settings that need a newer libvirt than some hosts have. */
import { DISK_DRIVER_SINCE } from "../../../lib/contract/choices.ts";
import { ContractError, type DiskTuning } from "../../../lib/contract/mod.ts";
import type { HostCapabilities } from "../../hosts/capabilities.ts";
import { versionText } from "../../hosts/node_info.ts";

/** Refuses what the host's libvirt does not know: it would ignore it. @throws {ContractError} NotOnThisHost */
export async function requireDriverKnown(
  { capabilities }: { readonly capabilities: Pick<HostCapabilities, "libvirtVersion"> },
  tuning: DiskTuning,
): Promise<void> {
  for (const [field, since] of Object.entries(DISK_DRIVER_SINCE) as [keyof DiskTuning, number][]) {
    if (tuning[field] === undefined || tuning[field] === "default") continue;
    const version = await capabilities.libvirtVersion();
    if (version >= since) continue;
    const reason = `libvirt has it from version ${versionText(since)} on, and this host has ${
      versionText(version)
    }`;
    throw new ContractError("NotOnThisHost", { what: field, reason, field });
  }
}
