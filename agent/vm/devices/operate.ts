/** A change of a VM's devices that has several steps: done whole or not at all, whatever happens in the middle. */
import type { CommandName, VM } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";

/**
 * Carries out such a change, with nothing else on the VM meanwhile.
 *
 * @param label shown at the VM @throws what the work throws, once its steps were taken back
 */
export async function changeDevices(
  host: LibvirtHost,
  vm: VM,
  { command, actor, label }: {
    readonly command: CommandName;
    readonly actor: string;
    readonly label: string;
  },
  work: (operation: Operation) => Promise<void>,
): Promise<void> {
  const spec = { command, subject: vm.name, vmId: vm.id, actor, keys: [keyOf.vm(vm.id)] };
  await host.claims.operate(vm, label, () => host.operations.run(spec, work));
}
