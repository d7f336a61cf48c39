/** What the commands on volumes share: finding one, refusing what may not be, one operation at a time on each. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type ErrorCode, type StorageVolume } from "../../lib/contract/mod.ts";
import { BIN_FOLDER } from "../../lib/bin/place.ts";
import { FIXED_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { Host } from "../hosts/host.ts";
import { type Hold, lockVolume, requireActive, storageError } from "./shared.ts";
import { requireWritable } from "./volume_checks.ts";
import { exactUsers, overlays, VolumeUsage } from "./volume_usage.ts";
import { type Volume, volumeNamed } from "./volumes.ts";

/** Which volume. */
export interface At {
  readonly pool: string;
  readonly volume: string;
}

/** A volume as the contract shows it. */
export function volumeView(volume: Volume, users: VolumeUsage): StorageVolume {
  const { pool, name, path, type, format, capacity, allocation, backing } = volume;
  return {
    pool,
    name,
    path,
    type,
    ...(format !== undefined && { format }),
    capacityBytes: capacity,
    allocationBytes: allocation,
    ...(backing !== undefined && {
      backing: {
        path: backing.path,
        ...(backing.format !== undefined && { format: backing.format }),
      },
    }),
    encrypted: volume.encryption?.secret !== undefined,
    usedBy: users.of(volume),
  };
}

/** The volume as libvirt has it now. @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, VolumeNotFound */
export async function requireVolume(host: Host, { pool, volume: name }: At): Promise<Volume> {
  requireActive(host, pool);
  const found = name === BIN_FOLDER ? undefined : await volumeNamed(host.link, pool, name);
  if (found === undefined) throw new ContractError("VolumeNotFound", { pool, name });
  return found;
}

/** A pool in which volumes can be made. @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, NotOnThisHost */
export function requireMakeable(host: Host, pool: string): PoolRecord {
  const record = requireActive(host, pool);
  const { type } = describePool(record.xml);
  if (FIXED_TYPES.has(type)) {
    const reason = `the volumes of a pool of type ${type} are made on its server`;
    throw new ContractError("NotOnThisHost", { what: "Making a volume here", reason });
  }
  return record;
}

/** @throws {ContractError} VolumeExists */
export async function requireFreeVolumeName({ link }: Host, pool: string, name: string): Promise<void> {
  if (await volumeNamed(link, pool, name)) throw new ContractError("VolumeExists", { pool, name });
}

/** @throws {ContractError} VolumeInUse, naming the VM or the volume that needs it */
export async function refuseUsedVolume(host: Host, volume: Volume): Promise<void> {
  const { storage } = host.inventory;
  const { pool, name, path } = volume;
  await storage.volumes(pool);
  const overlay = await (await overlays(host))(path);
  const vm = await (await exactUsers(host))(volume) ??
    (overlay && `the volume ${overlay.name} of ${overlay.pool}`);
  if (vm !== undefined) throw new ContractError("VolumeInUse", { vm, pool, name });
}

/** Runs an operation on a volume, alone; what libvirt says no with becomes `code`. */
export async function operate<T>(
  host: Host,
  { pool, volume }: At,
  code: ErrorCode,
  run: () => Promise<T>,
  hold: Hold = "change",
): Promise<T> {
  using _taken = lockVolume(pool, volume, { hold });
  const { inventory } = host;
  try {
    await requireWritable(host, pool);
    return await run();
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
      throw new ContractError("VolumeExists", { pool, name: volume });
    }
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_VOL) {
      inventory.storage.remove(pool, volume);
      throw new ContractError("VolumeNotFound", { pool, name: volume });
    }
    throw storageError(error, code, { name: volume });
  }
}
