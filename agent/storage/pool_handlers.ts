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
import { FILE_TYPES, FIXED_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/xml/pool.ts";
import type { Handlers } from "../dispatch.ts";
import type { VmServices } from "../vm/services.ts";
import { deletePool } from "./pool_delete.ts";
import { createPool, poolTypes } from "./pool_make.ts";
import { findSources } from "./pool_sources.ts";
import {
  isActive,
  refuseWorkedOn,
  requireActive,
  requireKnown,
  requirePool,
  storageError,
  take,
} from "./shared.ts";
import { refuseRunning, Users } from "./users.ts";

type PoolHandlers = Pick<Handlers, Extract<CommandName, keyof typeof storageCommands>>;

/** A pool as the contract shows it. */
export function poolView({ inventory }: VmServices, record: PoolRecord, users: Users): StoragePool {
  const { name, uuid, state, autostart, persistent, volumes } = record;
  const { type, path, source } = describePool(record.xml);
  return {
    name,
    uuid,
    type,
    state: POOL_STATES[state] ?? "inaccessible",
    ...(isActive(record) && {
      capacityBytes: record.capacity,
      allocationBytes: record.allocation,
      availableBytes: record.available,
    }),
    ...(volumes !== null && { volumes }),
    ...(path !== undefined && { path }),
    ...(source !== undefined && { source }),
    autostart,
    persistent,
    keepsFiles: FILE_TYPES.has(type),
    fixed: FIXED_TYPES.has(type),
    usedBy: users.ofPool(inventory, record),
  };
}

/** A handler for each command on pools. */
export function poolHandlers(services: VmServices): PoolHandlers {
  const { link, inventory } = services;
  const { storage } = inventory;
  /** Carries an operation out on a pool, alone, and reads the pools anew: whoever asked sees what it did. */
  const operate = async (pool: string, verb: string, run: () => Promise<unknown>): Promise<null> => {
    using _taken = take(pool);
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
  const viewOf = (pool: string) => poolView(services, requirePool(services, pool), new Users(inventory));

  return {
    get_storage_pools: () => {
      requireKnown(services);
      const users = new Users(inventory);
      return storage.records().map((record) => poolView(services, record, users));
    },
    get_storage_pool: ({ pool }) => viewOf(pool),
    get_storage_pool_types: () => poolTypes(services),
    find_storage_sources: (input) => findSources(services, input),
    create_storage_pool: async (input: Input<"create_storage_pool">) => {
      requireKnown(services);
      // What is remembered may be gone a moment ago
      if (storage.record(input.name) !== undefined) await storage.refresh();
      if (storage.record(input.name) !== undefined) {
        throw new ContractError("StoragePoolExists", { pool: input.name });
      }
      await operate(input.name, "create", () => createPool(services, input));
      return viewOf(input.name);
    },
    start_storage_pool: ({ pool }) => {
      if (isActive(requirePool(services, pool))) throw new ContractError("StoragePoolActive", { pool });
      return operate(pool, "start", () => link.call("poolStart", { pool }));
    },
    stop_storage_pool: ({ pool }) => {
      refuseRunning(services, requireActive(services, pool));
      refuseWorkedOn(pool);
      return operate(pool, "stop", () => link.call("poolStop", { pool }));
    },
    refresh_storage_pool: ({ pool }) => {
      requireActive(services, pool);
      return operate(pool, "refresh", () => link.call("poolRefresh", { pool }));
    },
    delete_storage_pool: ({ pool, deleteContent = false }) => {
      const record = requirePool(services, pool);
      refuseWorkedOn(pool);
      return operate(pool, "delete", () => deletePool(services, record, deleteContent));
    },
    set_storage_pool_autostart: ({ pool, autostart }) => {
      if (!requirePool(services, pool).persistent) throw new ContractError("StoragePoolNotPersistent");
      return operate(pool, "change", () => link.call("poolSetAutostart", { pool, autostart }));
    },
  };
}
