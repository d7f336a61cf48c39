/** The commands on storage pools. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import {
  type CommandName,
  ContractError,
  type Input,
  POOL_STATES,
  storageCommands,
  type StoragePool,
} from "../../lib/contract/mod.ts";
import { spaceOf } from "../../lib/storage/pool_space.ts";
import { FILE_TYPES, FIXED_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { CallContext, Handlers } from "../dispatch.ts";
import { keyOf } from "../operations/operation_record.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { deletePool } from "./pool_delete.ts";
import { createPool, poolTypes } from "./pool_make.ts";
import { findSources } from "./pool_sources.ts";
import { isActivePool, requireActive, requirePool, requireStorageKnown, storageError } from "./shared.ts";
import { refuseNamed, refuseRunning } from "./exact_users.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { requirePoolReachable } from "./reachable.ts";

type PoolHandlers = Pick<Handlers, Extract<CommandName, keyof typeof storageCommands>>;

/** A pool as the contract shows it. */
export function poolView({ inventory }: LibvirtHost, record: PoolRecord, users: VolumeUsage): StoragePool {
  const { name, uuid, state, autostart, persistent, volumes } = record;
  const { type, path, source } = describePool(record.xml);
  const space = isActivePool(record) ? spaceOf(record) : undefined;
  return {
    name,
    uuid,
    type,
    state: POOL_STATES[state] ?? "inaccessible",
    ...(space !== undefined && {
      capacityBytes: space.capacity,
      allocationBytes: space.allocation,
      availableBytes: space.available,
    }),
    // The bin's own folder is a volume to libvirt.
    ...(volumes !== null && { volumes: inventory.storage.peek(name)?.length ?? volumes }),
    ...(path !== undefined && { path }),
    ...(source !== undefined && { source }),
    autostart,
    persistent,
    keepsFiles: FILE_TYPES.has(type),
    fixed: FIXED_TYPES.has(type),
    usedBy: users.ofPool(record),
  };
}

/** A handler for each command on pools. */
export function poolHandlers(host: LibvirtHost): PoolHandlers {
  const { link, inventory } = host;
  const { storage } = inventory;
  /** Carries an operation out on a pool, alone, and reads the pools again: whoever asked sees what it did. */
  const operate = async (pool: string, verb: string, run: () => Promise<unknown>): Promise<null> => {
    using _taken = host.locks.take(pool);
    try {
      await run();
      await storage.refresh();
    } catch (error) {
      if (error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_POOL) {
        throw new ContractError("StoragePoolNotFound", { pool });
      }
      throw storageError(error, "StoragePoolFailed", { verb });
    }
    return null;
  };
  const viewOf = async (pool: string) =>
    poolView(host, requirePool(host, pool), await VolumeUsage.read(host));

  return {
    get_storage_pools: async () => {
      requireStorageKnown(host);
      const users = await VolumeUsage.read(host);
      return storage.records().map((record) => poolView(host, record, users));
    },
    get_storage_pool: ({ pool }) => viewOf(pool),
    get_storage_pool_types: () => poolTypes(host),
    find_storage_sources: (input) => findSources(host, input),
    create_storage_pool: async (input: Input<"create_storage_pool">, { principal }: CallContext) => {
      requireStorageKnown(host);
      await host.operations.ready([keyOf.pool(input.name)]);
      // What is remembered may be gone a moment ago
      if (storage.record(input.name) !== undefined) await storage.refresh();
      if (storage.record(input.name) !== undefined) {
        throw new ContractError("StoragePoolExists", { pool: input.name });
      }
      await operate(input.name, "create", () => createPool(host, input, principal.name));
      return await viewOf(input.name);
    },
    start_storage_pool: async ({ pool }) => {
      if (isActivePool(requirePool(host, pool))) throw new ContractError("StoragePoolActive", { pool });
      await requirePoolReachable(host, pool);
      return await operate(pool, "start", () => link.call("poolStart", { pool }));
    },
    // libvirt waits for a mount with the pool's lock held, and every list of pools with it: refresh, umount, delete.
    stop_storage_pool: async ({ pool }) => {
      const record = requireActive(host, pool);
      await refuseRunning(host, record);
      // One that is transient is forgotten with that
      if (!record.persistent) await refuseNamed(host, record);
      host.locks.refuseWorkedOn(pool);
      await requirePoolReachable(host, pool);
      return await operate(pool, "stop", () => link.call("poolStop", { pool }));
    },
    refresh_storage_pool: async ({ pool }) => {
      requireActive(host, pool);
      await requirePoolReachable(host, pool);
      return await operate(pool, "refresh", async () => {
        await link.call("poolRefresh", { pool });
        await storage.refreshVolumes(pool);
      });
    },
    delete_storage_pool: async ({ pool, deleteContent = false }, { principal }) => {
      await host.operations.ready([keyOf.pool(pool)]);
      const record = requirePool(host, pool);
      host.locks.refuseWorkedOn(pool);
      await requirePoolReachable(host, pool);
      return await operate(
        pool,
        "delete",
        () => deletePool(host, record, deleteContent, principal.name),
      );
    },
    set_storage_pool_autostart: async ({ pool, autostart }) => {
      if (!requirePool(host, pool).persistent) throw new ContractError("StoragePoolNotPersistent");
      await operate(pool, "change", () => link.call("poolSetAutostart", { pool, autostart }));
      storage.onEvent(pool, "changed"); // libvirt sends no event
      return null;
    },
  };
}
