/** Renaming a VM. */
import { checker } from "../../../lib/typebox/compile.ts";
import { ContractError, type Input, type VM, VmName } from "../../../lib/contract/mod.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/step.ts";
import type { Host } from "../../hosts/host.ts";

const isVmName = checker(VmName);

/** @throws {ContractError} InvalidName, VmNameExists */
export function requireFreeVmName({ inventory }: Host, name: string): void {
  if (!isVmName(name)) throw new ContractError("InvalidName");
  if (inventory.vmByName(name)) throw new ContractError("VmNameExists", { name });
}

/** A VM whose disks and definition nothing else writes to. @throws {ContractError} VmMustBeOff, VmNotPersistent */
export function requireOff({ inventory }: Host, vm: VM): void {
  const isOn = inventory.active().includes(vm.id);
  // Saved memory belongs to this name, this definition and these disks: it is not "off" until that is gone.
  if (isOn || vm.state === "suspended") throw new ContractError("VmMustBeOff", { state: vm.state });
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
}

/**
 * Gives a stopped VM another name. What depends on the name (the NVRAM's file, the disks' files) keeps its own,
 * except for what libvirt moves itself.
 *
 * @param actor who asks for it
 * @throws {ContractError} VmNotFound, InvalidName, VmNameExists, VmMustBeOff, VmNotPersistent, RenameFailed, VmBusy
 */
export async function renameVm(
  host: Host,
  { vmId, name }: Input<"rename_vm">,
  actor: string,
): Promise<null> {
  const { link, operations } = host;
  const keys = [keyOf.vm(vmId), keyOf.vmName(name)];
  await operations.ready(keys);
  const vm = host.requireVm(vmId);
  if (name === vm.name) return null;
  requireFreeVmName(host, name);
  requireOff(host, vm);
  const spec = { command: "rename_vm", subject: vm.name, vmId, actor, keys } as const;
  const rename = async (operation: Operation) => {
    operation.add({ kind: "change-wanted", command: "rename_vm", input: { vmId, name } });
    try {
      await link.call("domainRename", { uuid: vm.id, name });
    } catch (error) {
      throw contractError(error, "RenameFailed", "rename_vm");
    }
  };
  await host.operate(vm, "renaming", () => operations.run(spec, rename));
  return null;
}
