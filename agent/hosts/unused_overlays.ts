/** What a host has of the images that snapshots which were cut short have left, for what settles steps and starts VMs. */
import type { OperationRecord, VolumeMade } from "../operations/step.ts";

/** A volume that was made as a file of this host. */
export type MadeFile = VolumeMade & { readonly path: string };

export interface HostOverlays {
  /**
   * Remembers an image that a QEMU has open now, where it was made for a snapshot that was not taken.
   *
   * @returns whether it is deleted once the VM is off
   */
  keep(operation: OperationRecord, step: MadeFile): Promise<boolean>;
  /** Those of a VM that are still there. */
  of(vmId: string): readonly { readonly target: string; readonly path: string }[];
  /** Deletes those of a VM that is off, as far as it can be told that nothing is in them. Never throws. */
  sweep(vmId: string): Promise<void>;
}
