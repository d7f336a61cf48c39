/** Folders that no guest is given. The feature of VMs provides them. */
import type { ClosedFolder } from "../../lib/vm/shared_folders.ts";

export interface ClosedPlaces {
  /** KVM Manager's own: the program, its state, sockets and keys. */
  readonly own: readonly ClosedFolder[];
  /** Folders of backups. */
  readonly backups: readonly ClosedFolder[];
}
