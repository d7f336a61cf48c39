/**
 * Rules of a command's row about rights beyond its own permission: extra permissions, and parts of the answer to hide.
 */
import type { Command } from "./command.ts";

/**
 * Network cards that are plugged into no libvirt network: the guest then reaches the host's loopback (user), its uplink
 * (direct) or its bridges, whatever the administrators meant their networks to keep apart. A libvirt network counts as
 * a network whatever it forwards to: only an administrator can make one on a bridge or an uplink of the host.
 */
export const HOST_NETWORK = "host-network.use";

/**
 * A permission on everything that a call needs in addition to its command's own: a disk or a network that is named belongs to
 * everybody, not to the VM it is for.
 */
export interface ExtraPermission {
  readonly permission: string;
  /** Needed only where the input has one of these fields; without them, always. */
  readonly fields?: readonly string[];
  /**
   * Needed only for some: of a VM that has a card on no libvirt network, or of a network card that has a filter. Only the
   * handler can see a card's filter, so it makes that check itself (`agent/vm/devices/filter_guard.ts`).
   */
  readonly of?: "vm-on-host-network" | "filtered-nic";
}

/** Parts of an answer that are hidden from users who may see only some VMs (`lib/access/filter_output.ts`). */
export type OutputFilter =
  | "other-vms"
  | "other-projects"
  /** Its handler writes only what who asks may see: of VMs, and of the host. */
  | "other-figures"
  | "other-activity"
  | "other-jobs"
  | "other-jobs-found"
  | "other-alerts"
  | "other-incidents"
  | "job-of-other-vms"
  | "other-hangs"
  | "vm-counts"
  | "host-interfaces";

/** Marks commands whose activity is told to administrators alone: it is about accounts. */
export function auditedForAdministrators<T extends Readonly<Record<string, Command>>>(commands: T): T {
  const rows = Object.entries(commands).map(([name, row]): [string, Command] => [
    name,
    { ...row, activityFor: "administrators" },
  ]);
  return Object.fromEntries(rows) as T;
}
