/**
 * Hosts that ids of VMs belong to. Rights, schedules, backups and consoles go by ids, so a host that claims
 * the id of another host's VM must get none of them. The host that had the id first keeps it until it reports
 * that it no longer has the VM.
 */
import type { VM } from "../../lib/contract/mod.ts";

/** A host, as far as it is asked whether a VM is its own. */
export interface Claimant {
  readonly id: string;
  readonly inventory: {
    /** Whether it was read since the start: before, that it has a VM is not known, nor that it has not. */
    readonly filled: boolean;
    /** Its VM with this id, whoever it belongs to. */
    anyVm(vmId: string): Pick<VM, "state" | "stateReason"> | undefined;
  };
}

/** Owner of an id. */
export type Ownership<H extends Claimant> =
  | { readonly kind: "owned"; readonly host: H }
  /** No host has it. */
  | { readonly kind: "free" }
  /** Several have it, and it was never known to be one's. */
  | { readonly kind: "ambiguous"; readonly hosts: readonly H[] };

/** libvirt's word for a VM that went to another host and whose definition stayed. */
const MIGRATED = "migrated";

/** Whether a host says itself that it has a VM no more: it was deleted there, or migrated away to where it is on. */
function hasLeft<H extends Claimant>({ inventory }: H, vmId: string, others: readonly H[]): boolean {
  if (!inventory.filled) return false;
  const vm = inventory.anyVm(vmId);
  if (vm === undefined) return true;
  const wentAway = vm.state === "stopped" && vm.stateReason === MIGRATED;
  return wentAway && others.some((other) => other.inventory.anyVm(vmId)!.state !== "stopped");
}

/**
 * The owner of a VM's id.
 *
 * @param kept id of the host that it was known to belong to last; undefined where it was never seen, or is known to be gone
 */
export function ownership<H extends Claimant>(
  hosts: readonly H[],
  vmId: string,
  kept: string | undefined,
): Ownership<H> {
  const claims = hosts.filter(({ inventory }) => inventory.anyVm(vmId) !== undefined);
  const owner = kept === undefined ? undefined : hosts.find(({ id }) => id === kept);
  const others = claims.filter((host) => host !== owner);
  if (owner !== undefined && !hasLeft(owner, vmId, others)) return { kind: "owned", host: owner };
  // What stayed behind of a VM that went away is none of the claims
  if (others.length === 1) return { kind: "owned", host: others[0]! };
  if (others.length > 1) return { kind: "ambiguous", hosts: others };
  return claims.length === 1 ? { kind: "owned", host: claims[0]! } : { kind: "free" };
}
