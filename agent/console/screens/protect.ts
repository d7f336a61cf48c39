/** Giving a VM's screens passwords that it was made without. */
import { ContractError, type Output } from "../../../lib/contract/mod.ts";
import { contractError } from "../../libvirt/failure.ts";
import { changeMetadata } from "../../vm/own_metadata.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

/** Types of screens that take a password. */
const WITH_PASSWORD = ["vnc", "spice"];

/** @throws {ContractError} VmNotFound, VmNotPersistent, NoScreen, UpdateFailed, VmBusy */
export async function protectScreens(
  host: LibvirtHost,
  vmId: string,
): Promise<Output<"protect_screens">> {
  const { link, inventory } = host;
  const vm = host.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  if (!vm.graphics.some(({ type }) => WITH_PASSWORD.includes(type))) throw new ContractError("NoScreen");
  let isClosed = false;
  await host.claims.operate(vm, "protecting its screens", async () => {
    try {
      isClosed = await link.call("domainProtectScreens", { uuid: vm.id });
      await changeMetadata(host, vm.id, { generatedPasswords: true });
    } catch (error) {
      throw contractError(error, "UpdateFailed", "protect_screens");
    }
  });
  return { live: isClosed && inventory.active().includes(vm.id), persistent: true };
}
