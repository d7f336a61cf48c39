/** What the commands on pools and on volumes share: finding them, and telling why not. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { contractError } from "../libvirt/failure.ts";
import type { VmServices } from "../vm/services.ts";

/** @throws {ContractError} StorageUnknown while the pools were never read, LibvirtUnavailable while nothing was */
export function requireKnown(services: VmServices): void {
  services.requireFilled();
  if (services.inventory.storage.isKnown) return;
  throw new ContractError("StorageUnknown", { reason: "libvirt has not told of its storage pools" });
}

/** @throws {ContractError} StoragePoolNotFound */
export function requirePool(services: VmServices, pool: string): PoolRecord {
  requireKnown(services);
  const record = services.inventory.storage.record(pool);
  if (record === undefined) throw new ContractError("StoragePoolNotFound", { pool });
  return record;
}

/** Whether a pool has volumes to be listed. */
export const isActive = ({ volumes }: PoolRecord): boolean => volumes !== null;

/** @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive */
export function requireActive(services: VmServices, pool: string): PoolRecord {
  const record = requirePool(services, pool);
  if (!isActive(record)) throw new ContractError("StoragePoolNotActive", { pool });
  return record;
}

/** libvirt's refusal as one of ours; `details` fill its text. */
export function storageError(thrown: unknown, code: ErrorCode, details: Record<string, unknown>): unknown {
  if (!(thrown instanceof LibvirtError) || thrown.kind !== "libvirt") return contractError(thrown, code);
  const general = contractError(thrown, code);
  if (general instanceof ContractError && general.code !== code) return general;
  return new ContractError(code, { ...details, error: thrown.message }, { cause: thrown });
}

/** What is being worked on, by pool: its volumes' names, and `null` for the pool itself. One operation at a time on each. */
const busy = new Map<string, Set<string | null>>();

/**
 * Takes something for an operation until disposed of.
 *
 * @throws {ContractError} StorageBusy
 */
export function take(pool: string, volume: string | null = null): Disposable {
  const there = busy.get(pool) ?? new Set();
  if (there.has(volume)) {
    throw new ContractError("StorageBusy", { what: volume === null ? pool : `${volume} (${pool})` });
  }
  busy.set(pool, there.add(volume));
  return {
    [Symbol.dispose]: () => {
      there.delete(volume);
      if (there.size === 0) busy.delete(pool);
    },
  };
}

/** Refuses to take a pool away from the work on its volumes. @throws {ContractError} StorageBusy */
export function refuseWorkedOn(pool: string): void {
  const volume = [...busy.get(pool) ?? []].find((each) => each !== null);
  if (volume !== undefined) throw new ContractError("StorageBusy", { what: `${volume} (${pool})` });
}

const GIB = 1024 ** 3;

/** That a pool has no room for so many bytes, told in GiB with two decimals. */
export function noRoom(requested: number, available: number): ContractError {
  const gb = (bytes: number) => Math.round(bytes / GIB * 100) / 100;
  return new ContractError("DiskExceedsPool", { requested: gb(requested), available: gb(available) });
}
