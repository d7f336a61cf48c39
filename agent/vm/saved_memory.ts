/** The memory of a suspended VM: it goes on with the disks, media and devices that it was saved with. */
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isOff } from "./lifecycle/undefine.ts";

/**
 * Whether the next start of a VM goes on with saved memory, as libvirt says now: virsh may have saved it a moment ago.
 *
 * @throws {LibvirtError}
 */
export async function hasMemorySaved(
  { link }: Pick<LibvirtHost, "link">,
  { id: uuid }: Pick<VM, "id">,
): Promise<boolean> {
  const domain = await link.call("domainRead", { uuid });
  return domain !== null && isOff(domain) && domain.managedSave;
}

/**
 * Refuses a change of what saved memory was taken with: the next start has that all the same, whatever is defined since.
 *
 * @param code the error for what is changed
 * @throws {ContractError} `code` @throws {LibvirtError}
 */
export async function requireNoSavedMemory(
  host: Pick<LibvirtHost, "link">,
  vm: Pick<VM, "id">,
  code: "HasSavedMemory" | "ShareWhileSaved" = "HasSavedMemory",
): Promise<void> {
  if (await hasMemorySaved(host, vm)) throw new ContractError(code);
}
