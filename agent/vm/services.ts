/** What the commands on machines share: the link, the live model, and one operation at a time on each machine. */
import type { DomainRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { Passt } from "../host/passt.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import type { Sampler } from "../metrics/sampler.ts";

/** What is said while a large or busy host is read for the first time. */
const READING = "KVM Manager is still reading this host. Try again in a moment.";

export class VmServices {
  readonly passt: Passt;

  constructor(
    readonly link: LibvirtLink,
    readonly inventory: Inventory,
    readonly sampler: Sampler,
    readonly jobs: Jobs,
  ) {
    this.passt = new Passt(link);
  }

  /**
   * The machine with this id.
   *
   * @throws {ContractError} VmNotFound; LibvirtUnavailable while nothing is known of the host yet
   */
  requireVm(vmId: string): VM {
    const vm = this.inventory.vm(vmId);
    if (vm) return vm;
    this.requireFilled();
    throw new ContractError("VmNotFound", { vmId });
  }

  /** @throws {ContractError} LibvirtUnavailable while the host was never read: "unknown" must not look like "none" */
  requireFilled(): void {
    if (this.inventory.filled) return;
    const { connected, error } = this.link.status;
    const message = error ?? (connected ? READING : undefined);
    throw new ContractError("LibvirtUnavailable", undefined, { ...(message !== undefined && { message }) });
  }

  /**
   * Runs an operation on a machine: shows its label meanwhile, and reads the machine anew at the end, so that
   * whoever gets the answer sees what it did.
   *
   * @param run gives the machine as it read it last, where it did that itself
   * @param always run beside another operation
   * @throws {ContractError} VmBusy
   */
  async operate(
    vm: VM,
    label: string,
    run: () => Promise<DomainRecord | null | void>,
    always = false,
  ): Promise<void> {
    const running = this.inventory.vm(vm.id)?.operation;
    if (running !== undefined && !always) throw new ContractError("VmBusy", { operation: running });
    if (running === undefined) this.inventory.update(vm.id, { operation: label });
    try {
      const record = await run();
      if (record) this.inventory.take(record);
      else await this.reread(vm);
    } finally {
      if (running === undefined) this.inventory.update(vm.id, { operation: undefined });
    }
  }

  /** Reads a machine anew. What cannot be read now, the reconcile reads later: what was done is done. */
  async reread(vm: VM): Promise<void> {
    try {
      await this.inventory.refresh(vm.id);
    } catch (error) {
      log.debug("a domain could not be read anew", { vm: vm.name, error });
    }
  }
}
