/** Outcome for the disks that a VM had before a restore replaced them. */
import { messageOf } from "../../lib/text/message.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import type { DiskDoomed } from "../operations/step.ts";
import { binReplaced } from "../storage/bin/replaced.ts";
import { fileOf } from "../storage/volume_steps.ts";
import type { PoolVolume } from "../storage/volumes.ts";
import { deleteDisk } from "../vm/lifecycle/delete.ts";
import type { DiskWork } from "./make_disk.ts";

/**
 * Moves volumes that nothing has any more into the bin; what that cannot keep is deleted. One that cannot go is told of
 * in the warnings, and stays. When libvirt goes away meanwhile, settling the operation sees to them: a warning would end
 * it, and the disks would belong to no VM.
 *
 * @throws {LibvirtError | ContractError} when libvirt is away
 */
export async function putAway(
  { host, operation, warnings }: Pick<DiskWork, "host" | "operation"> & { readonly warnings: string[] },
  old: Iterable<PoolVolume>,
): Promise<void> {
  const doomed: DiskDoomed[] = [];
  const each = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      warnings.push(`The old disk ${path} was kept: ${messageOf(error)}`);
    }
  };
  for (const volume of old) {
    await each(volume.path, async () => {
      if (await binReplaced(host, volume, operation.record.actor)) return;
      doomed.push({ kind: "disk-doomed", path: volume.path, file: await fileOf(host.link, volume.path) });
    });
  }
  // Written down together: once one of them is, what was replaced is not settled by its own step any more.
  if (doomed.length > 0) operation.addAll(doomed);
  for (const { path } of doomed) await each(path, () => deleteDisk(host, path));
}
