/** A VM's definition, to take elsewhere. */
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import { safeFileName } from "../../../lib/text/text.ts";
import { includes } from "../../access.ts";
import type { CallContext } from "../../dispatch.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

/**
 * The XML of the VM's next start.
 *
 * @throws {ContractError} VmNotFound, Forbidden, and what any libvirt call may give
 */
export async function exportVm(
  host: LibvirtHost,
  { vmId, secure = false }: Input<"export_vm">,
  { principal }: CallContext,
): Promise<Output<"export_vm">> {
  const vm = host.requireVm(vmId);
  if (secure && !includes(principal.role, "administrator")) {
    throw new ContractError("Forbidden", { role: "administrator" });
  }
  const xml = await host.link.call("domainXml", { uuid: vm.id, secure, inactive: true });
  return { fileName: `${safeFileName(vm.name, 100)}.xml`, xml };
}
