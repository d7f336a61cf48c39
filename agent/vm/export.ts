/** A machine's definition, to take elsewhere. */
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { includes } from "../access.ts";
import type { CallContext } from "../dispatch.ts";
import type { VmServices } from "./services.ts";

/**
 * The XML of the machine's next start.
 *
 * @throws {ContractError} VmNotFound, Forbidden, and what any libvirt call may give
 */
export async function exportVm(
  services: VmServices,
  { vmId, secure = false }: Input<"export_vm">,
  { principal }: CallContext,
): Promise<Output<"export_vm">> {
  const vm = services.requireVm(vmId);
  if (secure && !includes(principal.role, "administrator")) {
    throw new ContractError("Forbidden", { role: "administrator" });
  }
  const xml = await services.link.call("domainXml", { uuid: vm.id, secure, inactive: true });
  return { fileName: `${vm.name.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 100)}.xml`, xml };
}
