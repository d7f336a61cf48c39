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

/** What is being worked on: a pool or a volume has one operation at a time. */
const busy = new Set<string>();

/**
 * Takes something for an operation until disposed of.
 *
 * @throws {ContractError} VolumeBusy
 */
export function take(pool: string, volume?: string): Disposable {
  const key = volume === undefined ? `pool ${pool}` : `volume ${pool}/${volume}`;
  if (busy.has(key)) {
    throw new ContractError("StorageBusy", { what: volume === undefined ? pool : `${volume} (${pool})` });
  }
  busy.add(key);
  return { [Symbol.dispose]: () => void busy.delete(key) };
}
