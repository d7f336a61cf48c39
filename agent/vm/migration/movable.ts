/** Requires that a VM can move at all, independent of the kind of move. */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireOwner } from "../lifecycle/power.ts";

/** A VM that can be moved, and whether it is off. */
export interface Movable {
  readonly vm: VM;
  readonly isOff: boolean;
}

/** @throws {ContractError} VmNotFound, VmNotPersistent, HasSavedMemory, VmNotOwner @throws {LibvirtError} */
export async function requireMovable(host: LibvirtHost, vmId: string): Promise<Movable> {
  host.requireVm(vmId);
  // Another program may have just taken a snapshot: its disks are other images then
  await host.inventory.refresh(vmId);
  const vm = host.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  if (vm.state === "suspended") throw new ContractError("HasSavedMemory");
  // The other host would start it
  requireOwner(host, vm);
  return { vm, isOff: !host.inventory.active().includes(vmId) };
}
