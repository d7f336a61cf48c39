/** Shared by the commands on volumes: finding one, refusing forbidden work, one operation at a time on each. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type ErrorCode, type StorageVolume } from "../../lib/contract/mod.ts";
import { BIN_FOLDER } from "../../lib/bin/place.ts";
import { FIXED_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Hold } from "./locks.ts";
import { requireActive, storageError } from "./shared.ts";
import { requireWritable } from "./volume_checks.ts";
import { exactUsers, type VolumeUse } from "./exact_users.ts";
import { type VolumeUsage } from "./volume_usage.ts";
import { findVolumeNamed, type PoolVolume } from "./volumes.ts";

/** A volume by its pool and name. */
export interface At {
  readonly pool: string;
  readonly volume: string;
}

/** A volume as the contract shows it. */
export function volumeView(volume: PoolVolume, users: VolumeUsage): StorageVolume {
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
export async function requireVolume(host: LibvirtHost, { pool, volume: name }: At): Promise<PoolVolume> {
  requireActive(host, pool);
  const found = name === BIN_FOLDER ? undefined : await findVolumeNamed(host.link, pool, name);
  if (found === undefined) throw new ContractError("VolumeNotFound", { pool, name });
  return found;
}

/** A pool in which volumes can be made. @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, NotOnThisHost */
export function requireMakeable(host: LibvirtHost, pool: string): PoolRecord {
  const record = requireActive(host, pool);
  const { type } = describePool(record.xml);
  if (FIXED_TYPES.has(type)) {
    const reason = `the volumes of a pool of type ${type} are made on its server`;
    throw new ContractError("NotOnThisHost", { what: "Making a volume here", reason });
  }
  return record;
}

/** @throws {ContractError} VolumeExists */
export async function requireFreeVolumeName(
  { link }: LibvirtHost,
  pool: string,
  name: string,
): Promise<void> {
  if (await findVolumeNamed(link, pool, name)) throw new ContractError("VolumeExists", { pool, name });
}

/** @throws {ContractError} VolumeInUse, naming what needs it, StorageUnknown */
export async function refuseUsedVolume(host: LibvirtHost, volume: PoolVolume): Promise<void> {
  const use = await (await exactUsers(host))(volume);
  if (use !== undefined) throw volumeInUse(volume.pool, use);
}

/** That a volume, or something in a folder, is needed. */
export const volumeInUse = (pool: string, { user, what }: VolumeUse): ContractError =>
  new ContractError("VolumeInUse", { vm: user, pool, name: what });

/** Why a volume has no content that could be copied, changed or given to a VM. */
const NO_CONTENT: Readonly<Record<string, string>> = {
  dir: "it is a folder, not an image: its content can be copied on the host itself",
  netdir: "it is a folder of a server, not an image",
};

/** Refuses what is no image: libvirt and qemu-img would each say so in its own way, or make an empty one of it. @throws {ContractError} DiskRefused */
export function requireImage({ path, type }: PoolVolume): void {
  const reason = NO_CONTENT[type];
  if (reason !== undefined) throw new ContractError("DiskRefused", { path, reason });
}

/** Runs an operation on a volume, alone; what libvirt says no with becomes `code`. */
export async function operate<T>(
  host: LibvirtHost,
  { pool, volume }: At,
  code: ErrorCode,
  run: () => Promise<T>,
  hold: Hold = "change",
): Promise<T> {
  using _taken = host.locks.take(pool, volume, { hold });
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
