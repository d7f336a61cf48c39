/** Removing a storage pool: its definition, and what is in it when that is asked for. */
import { userName } from "../../lib/i18n/message.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { keyOf } from "../operations/operation_record.ts";
import { fileOf } from "./volume_steps.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isActivePool, requireActive } from "./shared.ts";
import { exactUsers, refuseNamed, refuseRunning } from "./exact_users.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { volumeInUse } from "./volume_work.ts";
import { whyUnremovable } from "./removable.ts";
import { requireWritable } from "./volume_checks.ts";
import { deleteVolume } from "./passphrases.ts";
import { entriesOfPool } from "./bin/of_pool.ts";
import { type LinkCaller, type PoolVolume, volumeOf } from "./volumes.ts";

/** Types that libvirt built on something it can take away again. The rest lies elsewhere, and must not be deleted. */
const UNBUILT: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "logical", "zfs"]);

/**
 * Every volume of a pool as it is now, all of which can go, and none of which anything needs.
 *
 * @throws {ContractError} VolumeInUse, VolumeDeleteFailed
 */
async function doomed(host: LibvirtHost, pool: string): Promise<PoolVolume[]> {
  const { link, machine } = host;
  await link.call("poolRefresh", { pool });
  const volumes = (await link.call("volumeScan", { pool })).map(volumeOf);
  const useOf = await exactUsers(host, { going: new Set(volumes.map(({ path }) => path)) });
  for (const volume of volumes) {
    const use = await useOf(volume);
    if (use !== undefined) throw volumeInUse(pool, use);
  }
  for (const { name, path, type } of volumes) {
    if (machine === null || (type !== "file" && type !== "dir")) continue;
    const error = await whyUnremovable(machine, path, false);
    if (error !== undefined) throw new ContractError("VolumeDeleteFailed", { name, pool, error });
  }
  return volumes;
}

async function deleteAll(host: LibvirtHost, pool: string, volumes: readonly PoolVolume[]): Promise<void> {
  for (const { name, path } of volumes) {
    try {
      await deleteVolume(host, path);
    } catch (error) {
      if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      if (error.code === VIR_ERR.NO_STORAGE_VOL) continue;
      throw new ContractError("VolumeDeleteFailed", { name, pool, error: error.message }, { cause: error });
    }
  }
}

/**
 * Stops and forgets a pool that is as it was found.
 *
 * @param unbuild takes away what it was built on, too
 * @throws {LibvirtError}
 */
export async function removePool(link: LinkCaller, record: PoolRecord, unbuild: boolean): Promise<void> {
  const { name, persistent } = record;
  if (isActivePool(record)) await link.call("poolStop", { pool: name });
  if (!persistent) return;
  if (unbuild) {
    try {
      await link.call("poolUnbuild", { pool: name });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      // Something that is no volume is left in the folder: it was not asked for.
      log.warn("what a storage pool was built on stays", { pool: name, error });
    }
  }
  await link.call("poolUndefine", { pool: name });
}

/** Refuses to take away what can still be brought back into a pool. @throws {ContractError} BinNotEmpty */
async function refuseBinned(host: LibvirtHost, pool: string): Promise<void> {
  const entries = await entriesOfPool(host, pool);
  if (entries.length === 0) return;
  const names = entries.slice(0, 5).map(({ name }) => name).join(", ");
  throw new ContractError("BinNotEmpty", { n: entries.length, pool, names });
}

/**
 * Stops and forgets a pool, with what is in it where that is asked for.
 *
 * @throws {ContractError} StoragePoolInUse, StoragePoolNeeded, StoragePoolNotActive, StoragePoolReadOnly, VolumeInUse,
 * VolumeDeleteFailed, BinNotEmpty, StorageUnknown
 * @throws {LibvirtError}
 */
export async function deletePool(
  host: LibvirtHost,
  record: PoolRecord,
  deleteContent: boolean,
  actor: string,
): Promise<void> {
  const { link, operations } = host;
  const { name, uuid, xml } = record;
  await refuseRunning(host, record);
  if (!deleteContent) {
    await refuseNamed(host, record);
    return await removePool(link, record, false);
  }
  const [user] = (await VolumeUsage.read(host)).ofPool(record);
  if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool: name, vm: userName(user) });
  requireActive(host, name);
  await requireWritable(host, name);
  await refuseBinned(host, name);
  const unbuild = UNBUILT.has(describePool(xml).type);
  const spec = { command: "delete_storage_pool", subject: name, actor, keys: [keyOf.pool(name)] } as const;
  await operations.run(spec, async (operation) => {
    const all = await doomed(host, name);
    const volumes = await Promise.all(
      all.map(async ({ path }) => ({ path, file: await fileOf(link, path) })),
    );
    operation.add({ kind: "pool-doomed", uuid, name, volumes, unbuild });
    await deleteAll(host, name, all);
    await removePool(link, record, unbuild);
  });
}
