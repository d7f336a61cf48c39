/** Files of a host that interrupted operations have left, for settling steps and for starting VMs. */
import type { VolumeMade } from "../operations/step.ts";
import type { OperationRecord } from "../operations/operation_record.ts";

/** A volume that was made as a file of this host. */
export type MadeFile = VolumeMade & { readonly path: string };

/** Volumes that disks were arriving in when their import was cut. */
export interface HostParts {
  /**
   * Remembers a volume that a disk was arriving in, so that the next import of that disk goes on with it.
   *
   * @returns whether it stays: not where it is gone, or another file by now
   */
  keep(operation: OperationRecord, step: MadeFile): Promise<boolean>;
}

/** Images of snapshots that were cut short. */
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
