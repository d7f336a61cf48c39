/** Shared by the commands on pools and on volumes: finding them, and errors that say why they are not found. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { gigabytes } from "../../lib/text/quantity.ts";
import { contractError } from "../libvirt/failure.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** @throws {ContractError} StorageUnknown while the pools were never read, LibvirtUnavailable while nothing was */
export function requireStorageKnown(host: LibvirtHost): void {
  host.requireFilled();
  if (host.inventory.storage.isKnown) return;
  throw new ContractError("StorageUnknown", { reason: "libvirt has not told of its storage pools" });
}

/** @throws {ContractError} StoragePoolNotFound */
export function requirePool(host: LibvirtHost, pool: string): PoolRecord {
  requireStorageKnown(host);
  const record = host.inventory.storage.record(pool);
  if (record === undefined) throw new ContractError("StoragePoolNotFound", { pool });
  return record;
}

/** Whether a pool has volumes to be listed. */
export const isActivePool = ({ volumes }: PoolRecord): boolean => volumes !== null;

/** @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive */
export function requireActive(host: LibvirtHost, pool: string): PoolRecord {
  const record = requirePool(host, pool);
  if (!isActivePool(record)) throw new ContractError("StoragePoolNotActive", { pool });
  return record;
}

/**
 * The same of a pool that may have come a moment ago: its event may not be here yet.
 *
 * @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive
 */
export async function requireActiveNow(host: LibvirtHost, pool: string): Promise<PoolRecord> {
  requireStorageKnown(host);
  const { storage } = host.inventory;
  const record = storage.record(pool);
  if (record === undefined || !isActivePool(record)) await storage.refresh();
  return requireActive(host, pool);
}

/** libvirt's refusal as one of ours; `details` fill its text. */
export function storageError(thrown: unknown, code: ErrorCode, details: Record<string, unknown>): unknown {
  if (!(thrown instanceof LibvirtError) || thrown.kind !== "libvirt") return contractError(thrown, code);
  const general = contractError(thrown, code);
  if (general instanceof ContractError && general.code !== code) return general;
  return new ContractError(code, { ...details, error: thrown.message }, { cause: thrown });
}

/** That a pool has no room for so many bytes, told in GiB. */
export function noRoom(requested: number, available: number): ContractError {
  return new ContractError("DiskExceedsPool", {
    requested: gigabytes(requested),
    available: gigabytes(available),
  });
}
