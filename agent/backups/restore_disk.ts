/** One disk out of a folder of backups, as a new volume that no VM has yet. */
import { message, vmName } from "../../lib/i18n/message.ts";
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { requireFreeVolumeName } from "../storage/volume_work.ts";
import { defaultPool } from "../storage/volumes.ts";
import { type MadeDisk, makeDisk, restoreFailure, type RestoreSource } from "./make_disk.ts";

/**
 * Restores a disk, as a task. Undone where it fails or is cancelled.
 *
 * @throws {ContractError} those of restore_backup_disk
 */
export async function restoreDisk(
  host: LibvirtHost,
  source: RestoreSource,
  input: Input<"restore_backup_disk">,
  principal: Principal,
): Promise<Output<"restore_backup_disk">> {
  const { jobs, operations } = host, { manifest } = source, command = "restore_backup_disk";
  const disk = manifest.disks.find(({ target }) => target === input.target);
  if (disk === undefined) {
    const there = manifest.disks.map(({ target }) => target).join(", ");
    throw new ContractError("RestoreNotPossible", {
      reason: message`the copy has no disk ${input.target}: ${there}`,
    });
  }
  const pool = input.pool ?? await defaultPool(host.link);
  const name = input.volume ??
    `${manifest.vm.name}-${disk.target}-${manifest.id.slice(0, 15)}.${disk.format}`;
  const subject = `${pool}/${name}`, keys = [keyOf.volume(pool, name)];
  await operations.ready(keys);
  await requireFreeVolumeName(host, pool, name);
  let made: MadeDisk | undefined;
  await jobs.run({
    command,
    title: message`Restore disk ${disk.target} of ${vmName(manifest.vm)} to ${subject}`,
    actor: principal.name,
    subject,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  }, (job) =>
    operations.run({ command, subject, actor: principal.name, keys }, async (operation) => {
      operation.showsAs(job.id);
      using held = new DisposableStack();
      try {
        const work = { host, operation, job, held, ...source };
        made = await makeDisk(work, disk, { pool, name }, (done) => job.progress(done, disk.bytes));
      } catch (error) {
        job.log("Removing what was made");
        throw restoreFailure(error, command);
      }
    }));
  const { volume, format } = made!;
  return { pool, volume: volume.name, path: volume.path, format };
}
