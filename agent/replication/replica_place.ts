/** Places of replicas on this host. */
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { isTaken, undefinedIfMissing } from "../machine/files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { FOLDER_POOLS } from "../backups/spool.ts";
import { requireWritable } from "../storage/volume_checks.ts";
import { requireMakeable } from "../storage/volume_work.ts";
import { usualPool } from "../storage/volumes.ts";
import { FOLDER_MODE, REPLICAS_FOLDER } from "./replica_folder.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

const notPossible = (reason: Sentence) => new ContractError("ReplicationNotPossible", { reason });

/** A pool for a new replica, and its folder. @throws {ContractError} ReplicationNotPossible, StoragePoolNotFound, … */
export async function placeForReplica(
  host: LibvirtHost,
  wanted: string | undefined,
  replicaId: string,
): Promise<{ readonly pool: string; readonly folder: string }> {
  await host.inventory.storage.refresh();
  const pool = wanted ?? usualPool(host.inventory.storage.records());
  if (pool === undefined) {
    throw notPossible("that host has no storage pool whose volumes are files in a folder");
  }
  const { type, path } = describePool(requireMakeable(host, pool).xml);
  if (path === undefined || !FOLDER_POOLS.has(type)) {
    throw notPossible(message`the storage pool ${pool} there is none whose volumes are files in a folder`);
  }
  await requireWritable(host, pool);
  return { pool, folder: `${path}/${REPLICAS_FOLDER}/${replicaId}` };
}

/** Makes the folder of a replica. */
export async function makeReplicaFolder(folder: string): Promise<void> {
  const above = folder.slice(0, folder.lastIndexOf("/"));
  for (const path of [above, folder]) {
    if (await isTaken(plainPath(path))) continue;
    await hostFiles.mkdir(plainPath(path), { mode: FOLDER_MODE });
    await hostFiles.chmod(plainPath(path), FOLDER_MODE); // whatever the umask is
  }
}

/** Deletes a replica's files, and the folder of all where it was the last one. */
export async function removeReplicaFolder(folder: string): Promise<void> {
  if (!folder.includes(`/${REPLICAS_FOLDER}/`)) throw new TypeError(`no folder of a replica: ${folder}`);
  await undefinedIfMissing(hostFiles.remove(plainPath(folder), { recursive: true }));
  const above = folder.slice(0, folder.lastIndexOf("/"));
  const left = await undefinedIfMissing(hostFiles.readDir(plainPath(above)));
  if (left?.length === 0) await undefinedIfMissing(hostFiles.remove(plainPath(above)));
}

/** Share of a file system, and bytes at most, that are left free: VMs write to it, too. */
const RESERVE = { share: 0.05, mostBytes: 1024 ** 3 } as const;

/**
 * @param needBytes that are still written
 * @throws {ContractError} ReplicationFailed where the file system is so full, or would be then, that VMs could stop
 */
export async function requireReserve(folder: string, needBytes = 0): Promise<void> {
  const { bavail, blocks, bsize } = await hostFiles.statfs(plainPath(folder));
  const reserve = Math.min(RESERVE.mostBytes, blocks * bsize * RESERVE.share);
  if (bavail * bsize >= reserve + needBytes) return;
  throw new ContractError("ReplicationFailed", {
    error: message`the storage of the replica (${folder}) is nearly full, and VMs there write to it, too`,
  });
}
