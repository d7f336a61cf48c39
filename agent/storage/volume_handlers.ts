/** The commands on volumes. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import {
  type CommandName,
  ContractError,
  type ErrorCode,
  type StorageVolume,
  volumeCommands,
} from "../../lib/contract/mod.ts";
import { FILE_TYPES, FIXED_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/xml/pool.ts";
import type { Handlers } from "../dispatch.ts";
import type { VmServices } from "../vm/services.ts";
import { requireActive, storageError, take } from "./shared.ts";
import { exactUsers, refuseRunningVolume, Users } from "./users.ts";
import { requireRoom, requireWithin, trusted } from "./volume_checks.ts";
import {
  cloneVolume,
  createVolume,
  deleteVolume,
  resizeVolume,
  type Volume,
  volumeNamed,
} from "./volumes.ts";

type VolumeHandlers = Pick<Handlers, Extract<CommandName, keyof typeof volumeCommands>>;
interface At {
  readonly pool: string;
  readonly volume: string;
}

/** A volume as the contract shows it. */
function volumeView(volume: Volume, users: Users): StorageVolume {
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
    usedBy: users.of(volume),
  };
}

/** What `none`, `metadata` and `full` ask libvirt for. */
function allocationOf(
  preallocation: "none" | "metadata" | "full",
  format: string | undefined,
  capacity: number,
) {
  if (preallocation === "full") return { allocation: capacity, preallocate: format === "qcow2" };
  if (preallocation === "metadata") return { allocation: 0, preallocate: true };
  return { allocation: 0, preallocate: false };
}

/** A handler for each command on volumes. */
export function volumeHandlers(services: VmServices): VolumeHandlers {
  const { link, inventory } = services;
  const { storage } = inventory;
  const view = (volume: Volume) => volumeView(volume, new Users(inventory));

  /** The volume as libvirt has it now. @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, VolumeNotFound */
  const require = async ({ pool, volume: name }: At): Promise<Volume> => {
    requireActive(services, pool);
    const found = await volumeNamed(link, pool, name);
    if (found === undefined) throw new ContractError("VolumeNotFound", { pool, name });
    return found;
  };
  const requireMakeable = (pool: string): PoolRecord => {
    const record = requireActive(services, pool);
    const { type } = describePool(record.xml);
    if (FIXED_TYPES.has(type)) {
      const reason = `the volumes of a pool of type ${type} are made on its server`;
      throw new ContractError("NotOnThisHost", { what: "Making a volume here", reason });
    }
    return record;
  };
  const requireFreeName = async (pool: string, name: string) => {
    if (await volumeNamed(link, pool, name)) throw new ContractError("VolumeExists", { pool, name });
  };
  /** @throws {ContractError} VolumeInUse, naming the machine or the volume that needs it */
  const refuseUsed = async (volume: Volume) => {
    const { pool, name, path } = volume;
    await storage.volumes(pool);
    const overlay = storage.known().find(({ backing }) => backing?.path === path);
    const vm = (await exactUsers(services))(volume) ??
      (overlay && `the volume ${overlay.name} of ${overlay.pool}`);
    if (vm !== undefined) throw new ContractError("VolumeInUse", { vm, pool, name });
  };
  /** Runs an operation on a volume, alone; what libvirt says no with becomes `code`. */
  const operate = async <T>(
    { pool, volume }: At,
    code: ErrorCode,
    run: () => Promise<T>,
  ): Promise<T> => {
    using _taken = take(pool, volume);
    try {
      return await run();
    } catch (error) {
      if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
        throw new ContractError("VolumeExists", { pool, name: volume });
      }
      if (error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_VOL) {
        storage.remove(pool, volume);
        throw new ContractError("VolumeNotFound", { pool, name: volume });
      }
      throw storageError(error, code, { name: volume });
    }
  };

  return {
    get_volumes: async ({ pool }) => {
      requireActive(services, pool);
      const volumes = await storage.volumes(pool);
      const users = new Users(inventory);
      return volumes.map((volume) => volumeView(volume, users));
    },

    create_volume: ({ pool, name, capacityBytes, format, preallocation = "none", backing }) =>
      operate({ pool, volume: name }, "VolumeCreateFailed", async () => {
        const keepsFiles = FILE_TYPES.has(describePool(requireMakeable(pool).xml).type);
        await requireFreeName(pool, name);
        const base = backing === undefined ? undefined : await require(backing);
        const chosen = keepsFiles ? format ?? "qcow2" : undefined;
        if (base !== undefined && chosen !== "qcow2") {
          throw new ContractError("InvalidInput", { reason: "only a qcow2 volume has a backing volume" });
        }
        if (!keepsFiles && format === "qcow2") {
          throw new ContractError("InvalidInput", { reason: `format: the pool ${pool} keeps raw devices` });
        }
        if (chosen !== "qcow2" && preallocation === "metadata") {
          throw new ContractError("InvalidInput", { reason: "preallocation: only qcow2 has metadata" });
        }
        const capacity = capacityBytes ?? base?.capacity;
        if (capacity === undefined) {
          throw new ContractError("InvalidInput", { reason: "capacityBytes is missing" });
        }
        if (base !== undefined) {
          if (capacity < base.capacity) throw new ContractError("NotLarger", { current: base.capacity });
          if (preallocation !== "none") {
            throw new ContractError("InvalidInput", {
              reason: "preallocation and backing exclude each other",
            });
          }
          await trusted(services, base);
        }
        await requireRoom(services, pool, capacity);
        const { allocation, preallocate } = allocationOf(preallocation, chosen, capacity);
        const made = await createVolume(link, pool, {
          name,
          capacity,
          // A volume group has no holes: what is not taken at once could not be taken later.
          allocation: keepsFiles ? allocation : capacity,
          format: chosen,
          ...(base && { backing: { path: base.path, format: base.format ?? "raw" } }),
        }, preallocate);
        storage.put(made);
        return view(made);
      }),

    resize_volume: ({ capacityBytes, ...at }) =>
      operate(at, "VolumeResizeFailed", async () => {
        const volume = await require(at);
        if (capacityBytes <= volume.capacity) {
          throw new ContractError("NotLarger", { current: volume.capacity, requested: capacityBytes });
        }
        await refuseUsed(volume);
        await trusted(services, volume);
        await requireRoom(services, at.pool, capacityBytes - volume.capacity);
        await resizeVolume(link, volume.path, capacityBytes);
        const resized = await require(at);
        storage.put(resized);
        return view(resized);
      }),

    clone_volume: async ({ pool, volume: source, name, targetPool = pool }) => {
      using _source = take(pool, source);
      return await operate({ pool: targetPool, volume: name }, "VolumeCloneFailed", async () => {
        const volume = await require({ pool, volume: source });
        requireMakeable(targetPool);
        await requireFreeName(targetPool, name);
        refuseRunningVolume(services, volume);
        await trusted(services, volume);
        await requireRoom(services, targetPool, volume.allocation);
        const toFiles = FILE_TYPES.has(describePool(requireActive(services, targetPool).xml).type);
        const format = toFiles ? volume.format === "qcow2" ? "qcow2" : "raw" : undefined;
        const copy = await cloneVolume(link, volume.path, { pool: targetPool, name, format });
        storage.put(copy);
        return view(copy);
      });
    },

    wipe_volume: (at) =>
      operate(at, "VolumeWipeFailed", async () => {
        const volume = await require(at);
        await requireWithin(services, volume);
        await refuseUsed(volume);
        await link.call("volumeWipe", { path: volume.path });
        await link.call("poolRefresh", { pool: at.pool });
        return null;
      }),

    delete_volume: (at) =>
      operate(at, "VolumeDeleteFailed", async () => {
        const volume = await require(at);
        await refuseUsed(volume);
        await deleteVolume(link, volume.path);
        storage.remove(at.pool, at.volume);
        return null;
      }),
  };
}
