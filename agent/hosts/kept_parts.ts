/** What a host has of disks that were on their way to it when their import was cut, for what settles steps. */
import type { OperationRecord } from "../operations/step.ts";
import type { MadeFile } from "./unused_overlays.ts";

export interface HostParts {
  /**
   * Remembers a volume that a disk was arriving in, so that the next import of that disk goes on with it.
   *
   * @returns whether it stays: not where it is gone, or another file by now
   */
  keep(operation: OperationRecord, step: MadeFile): Promise<boolean>;
}
