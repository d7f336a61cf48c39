/** One disk of a copy as a new volume: made, filled and checked, or nothing of it is left. */
import { type BackupManifest, type ManifestDisk, ManifestError } from "../../lib/backup/manifest.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { XmlError } from "../../lib/formats/xml/tree.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { Operation } from "../operations/operation.ts";
import { requireActive } from "../storage/shared.ts";
import { refuseTooLarge, requireRoom, requireWritable } from "../storage/volume_checks.ts";
import { makeVolume } from "../storage/volume_steps.ts";
import { createVolume, keepsFiles, type PoolVolume, removeMade } from "../storage/volumes.ts";
import type { FoundCopy, Repository } from "./repository.ts";
import { chunksOf, writeDisk } from "./write_disk.ts";
import { message } from "../../lib/i18n/message.ts";

/** Repository and copy that are restored. */
export interface RestoreSource {
  readonly repository: Repository;
  readonly copy: FoundCopy;
  readonly manifest: BackupManifest;
}

/** Restoring disks, while it runs. */
export interface DiskWork extends RestoreSource {
  readonly host: LibvirtHost;
  readonly operation: Operation;
  readonly job: JobHandle;
  /** Keeps volumes that are being made from others. */
  readonly held: DisposableStack;
  /** It is for a while only: nothing in the bin makes room for it. */
  readonly isForAWhile?: true;
}

/** Pool and name for a disk. */
export type DiskPlace =
  & { readonly pool: string }
  /** A name as it is, or one that gets the ending of its format. */
  & ({ readonly name: string } | { readonly stem: string });

/** A disk that was restored. */
export interface MadeDisk {
  readonly volume: PoolVolume;
  readonly format: "qcow2" | "raw";
}

/** A failure for people: damage of the copy is told apart from what the host cannot do. */
export function restoreFailure(error: unknown, command: string = "restore_backup"): unknown {
  if (error instanceof ManifestError || error instanceof XmlError) {
    return new ContractError("BackupDamaged", { reason: error.message }, { cause: error });
  }
  const told = contractError(error, "RestoreFailed", command);
  if (told instanceof ContractError || !(told instanceof Error) || !("code" in told)) return told;
  return new ContractError("RestoreFailed", { error: messageOf(told) }, { cause: told });
}

/** Makes a volume of a disk. @throws {Error} any error; the operation deletes the volume then */
export async function makeDisk(
  { host, operation, job, repository, copy, manifest, held, isForAWhile }: DiskWork,
  disk: ManifestDisk,
  place: DiskPlace,
  onBytes: (done: number) => void,
): Promise<MadeDisk> {
  const { link } = host, { target, bytes } = disk, { pool } = place;
  requireActive(host, pool);
  await requireWritable(host, pool);
  const isFiles = await keepsFiles(link, pool);
  const format = isFiles && disk.format === "qcow2" ? "qcow2" : "raw";
  const chunks = await chunksOf(repository, copy, manifest, disk);
  const content = chunks.contentCount * manifest.chunkBytes;
  const needed = isFiles ? content : bytes;
  if (isForAWhile) {
    await host.inventory.storage.refresh();
    refuseTooLarge(host, pool, needed);
  } else await requireRoom(host, pool, needed);
  const name = "name" in place ? place.name : isFiles ? `${place.stem}.${format}` : place.stem;
  held.use(host.locks.take(pool, name, { hold: "make" }));
  job.log(message`Restoring ${target} to ${pool}/${name}`);
  const volume = await makeVolume(link, operation, { pool, name }, async () => {
    const wanted = { name, capacity: bytes, ...(isFiles && { format, allocation: 0 }) };
    const created: PoolVolume = await createVolume(link, pool, wanted);
    try {
      await writeDisk(created, {
        repository,
        chunks,
        bytes,
        format,
        job,
        onBytes,
        chunkBytes: manifest.chunkBytes,
      });
      return created;
    } catch (error) {
      await removeMade(link, created).catch((left) =>
        log.error("an unfinished disk could not be removed", { path: created.path, error: left })
      );
      throw error;
    }
  });
  // Whatever the guest wrote on it: it stays what it was.
  await host.formats.set(volume.path, format);
  return { volume, format };
}
