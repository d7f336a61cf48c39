/** Remembers the owners of a host's media before VMs get them. The feature of VMs provides it. */
import type { VM } from "../../lib/contract/mod.ts";

export interface HostMedia {
  /**
   * Remembers who owns a file, before a VM gets it, and does not give it back until what it gave is disposed of. What cannot
   * be seen is passed over.
   *
   * @param path of a medium
   */
  hold(path: string): Promise<Disposable>;
  /** Remembers the owners of what a VM has in its drives and may only read. */
  rememberAll(vm: Pick<VM, "disks">): Promise<void>;
}
