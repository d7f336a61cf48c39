/** Removing a storage pool: its definition, and what is in it when that is asked for. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/xml/pool.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { isActive, requireActive } from "./shared.ts";
import { exactUsers, refuseRunning, Users } from "./users.ts";
import { deleteVolume, type Volume, volumeOf } from "./volumes.ts";

/** Types that libvirt built on something it can take away again. The rest lies elsewhere, and is nobody's to delete. */
const UNBUILT: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "logical", "zfs"]);

/** Every volume of a pool as it is now, none of which anybody needs. @throws {ContractError} VolumeInUse */
async function doomed(services: VmServices, pool: string): Promise<Volume[]> {
  const { link, inventory } = services;
  await link.call("poolRefresh", { pool });
  const volumes = (await link.call("volumeScan", { pool })).map(volumeOf);
  const userOf = await exactUsers(services);
  const own = new Set(volumes.map(({ path }) => path));
  const overlays = inventory.storage.known().filter(({ path }) => !own.has(path));
  for (const volume of volumes) {
    const overlay = overlays.find(({ backing }) => backing?.path === volume.path);
    const vm = userOf(volume) ?? (overlay && `the volume ${overlay.name} of ${overlay.pool}`);
    if (vm !== undefined) throw new ContractError("VolumeInUse", { vm, name: volume.name, pool });
  }
  return volumes;
}

async function deleteContentOf(services: VmServices, pool: string): Promise<void> {
  const { link } = services;
  for (const { name, path } of await doomed(services, pool)) {
    try {
      await deleteVolume(link, path);
    } catch (error) {
      if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      if (error.code === VIR_ERR.NO_STORAGE_VOL) continue;
      throw new ContractError("VolumeDeleteFailed", { name, pool, error: error.message }, { cause: error });
    }
  }
}

/**
 * Stops and forgets a pool.
 *
 * @throws {ContractError} StoragePoolInUse, StoragePoolNotActive, VolumeInUse, VolumeDeleteFailed
 * @throws {LibvirtError}
 */
export async function deletePool(
  services: VmServices,
  record: PoolRecord,
  deleteContent: boolean,
): Promise<void> {
  const { link, inventory } = services;
  const { name, xml, persistent } = record;
  refuseRunning(services, record);
  if (deleteContent) {
    const [user] = new Users(inventory).ofPool(inventory, record);
    if (user !== undefined) throw new ContractError("StoragePoolInUse", { pool: name, vm: user.name });
    requireActive(services, name);
    await deleteContentOf(services, name);
  }
  if (isActive(record)) await link.call("poolStop", { pool: name });
  if (!persistent) return;
  if (deleteContent && UNBUILT.has(describePool(xml).type)) {
    try {
      await link.call("poolUnbuild", { pool: name });
    } catch (error) {
      // Something that is no volume is left in the folder: it was not asked for.
      log.warn("what a storage pool was built on stays", { pool: name, error });
    }
  }
  await link.call("poolUndefine", { pool: name });
}
