/** Renaming a machine. */
import { checker } from "../../lib/typebox/compile.ts";
import { ContractError, type Input, type VM, VmName } from "../../lib/contract/mod.ts";
import { contractError } from "../libvirt/failure.ts";
import type { VmServices } from "./services.ts";

const isVmName = checker(VmName);

/** @throws {ContractError} InvalidName, VmNameExists */
export function requireFreeName({ inventory }: VmServices, name: string): void {
  if (!isVmName(name)) throw new ContractError("InvalidName");
  if (inventory.vmByName(name)) throw new ContractError("VmNameExists", { name });
}

/** A machine whose disks and definition nothing else writes to. @throws {ContractError} VmMustBeOff, VmNotPersistent */
export function requireOff({ inventory }: VmServices, vm: VM): void {
  const isOn = inventory.active().includes(vm.id);
  // Saved memory belongs to this name, this definition and these disks: it is not "off" until that is gone.
  if (isOn || vm.state === "suspended") throw new ContractError("VmMustBeOff", { state: vm.state });
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
}

/**
 * Gives a stopped machine another name. What depends on the name (the NVRAM's file, the disks' files) keeps its own,
 * except for what libvirt moves itself.
 *
 * @throws {ContractError} VmNotFound, InvalidName, VmNameExists, VmMustBeOff, VmNotPersistent, RenameFailed, VmBusy
 */
export async function renameVm(services: VmServices, { vmId, name }: Input<"rename_vm">): Promise<null> {
  const vm = services.requireVm(vmId);
  if (name === vm.name) return null;
  requireFreeName(services, name);
  requireOff(services, vm);
  await services.operate(vm, "renaming", async () => {
    try {
      await services.link.call("domainRename", { uuid: vm.id, name });
    } catch (error) {
      throw contractError(error, "RenameFailed", "rename_vm");
    }
  });
  return null;
}
