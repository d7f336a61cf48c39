/** Ownership of VMs among several hosts. */
import type { Membership } from "../projects.ts";

/** Hosts that VMs belong to, if there are several. */
export interface VmOwnership {
  /** Whether a VM that this host has is another host's, or may be. */
  isForeign(vmId: string): boolean;
  /** A VM was read, came into another state, or is gone. */
  placed(vmId: string): void;
  /** Project and end date of a VM. */
  membershipOf(vmId: string): Membership;
}

/** A host whose VMs are all its own. */
export const SINGLE_HOST: VmOwnership = {
  isForeign: () => false,
  placed: () => {},
  membershipOf: () => ({}),
};
