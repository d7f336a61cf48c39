/** Gets the tags and groups that KVM Manager gives VMs of a host. The feature of VMs provides it. */
import type { VmLabels } from "../../lib/contract/vm.ts";

export interface HostLabels {
  /** A VM is about to get these: what goes with it is meant. Told before libvirt is. */
  meant(vmId: string, labels: VmLabels): void;
}

export const NO_HOST_LABELS: HostLabels = { meant: () => {} };
