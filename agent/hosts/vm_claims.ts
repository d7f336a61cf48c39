/** Operations that VMs are kept for: while one is under way, no other one begins. */
import type { DomainRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { keyOf } from "../operations/operation_record.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import type { LostVms } from "./lost_vms.ts";

export class VmClaims {
  constructor(
    private readonly host: Pick<LibvirtHost, "inventory" | "link" | "operations" | "reread">,
    private readonly lost: Pick<LostVms, "pidOf">,
  ) {}

  /**
   * Runs an operation on a VM: shows its label meanwhile, and reads the VM again at the end, so that
   * whoever gets the answer sees what it did.
   *
   * @param run gives the VM as it read it last, where it did that itself
   * @param always run at the same time as another operation
   * @throws {ContractError} VmBusy, OperationUnsettled
   */
  async operate(
    vm: VM,
    label: string,
    run: () => Promise<DomainRecord | null | void>,
    always = false,
  ): Promise<void> {
    const { inventory, link, operations } = this.host;
    // What was cut short by a VM that does not respond is settled once it does, or is off
    const isWayOut = always && link.gate.hangOf(`vm:${vm.id}`) !== undefined;
    if (operations.unsettled > 0 && !isWayOut) await operations.ready([keyOf.vm(vm.id)]);
    const isConcurrent = always && inventory.vm(vm.id)?.operation !== undefined;
    using _claim = isConcurrent ? undefined : this.take(vm, label);
    const record = await run();
    if (!isConcurrent) inventory.endOperation(vm.id);
    if (record) inventory.take(record);
    else await this.host.reread(vm);
  }

  /**
   * Keeps other operations off a VM until disposed of; its label is shown meanwhile.
   *
   * @throws {ContractError} VmBusy
   */
  take({ id }: VM, label: string): Disposable {
    const { inventory } = this.host, lost = this.lost.pidOf(id);
    if (lost !== undefined) {
      const operation = `it runs as process ${lost} of the host, which libvirt has lost`;
      throw new ContractError("VmBusy", { operation });
    }
    const running = inventory.vm(id)?.operation;
    if (running !== undefined) throw new ContractError("VmBusy", { operation: running });
    inventory.update(id, { operation: label });
    return { [Symbol.dispose]: () => void inventory.update(id, { operation: undefined }) };
  }
}
