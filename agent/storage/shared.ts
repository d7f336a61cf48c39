/** What the commands on pools and on volumes share: finding them, and telling why not. */
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { gigabytes } from "../../lib/text/quantity.ts";
import { contractError } from "../libvirt/failure.ts";
import type { Host } from "../hosts/host.ts";

/** @throws {ContractError} StorageUnknown while the pools were never read, LibvirtUnavailable while nothing was */
export function requireKnown(host: Host): void {
  host.requireFilled();
  if (host.inventory.storage.isKnown) return;
  throw new ContractError("StorageUnknown", { reason: "libvirt has not told of its storage pools" });
}

/** @throws {ContractError} StoragePoolNotFound */
export function requirePool(host: Host, pool: string): PoolRecord {
  requireKnown(host);
  const record = host.inventory.storage.record(pool);
  if (record === undefined) throw new ContractError("StoragePoolNotFound", { pool });
  return record;
}

/** Whether a pool has volumes to be listed. */
export const isActivePool = ({ volumes }: PoolRecord): boolean => volumes !== null;

/** @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive */
export function requireActive(host: Host, pool: string): PoolRecord {
  const record = requirePool(host, pool);
  if (!isActivePool(record)) throw new ContractError("StoragePoolNotActive", { pool });
  return record;
}

/** libvirt's refusal as one of ours; `details` fill its text. */
export function storageError(thrown: unknown, code: ErrorCode, details: Record<string, unknown>): unknown {
  if (!(thrown instanceof LibvirtError) || thrown.kind !== "libvirt") return contractError(thrown, code);
  const general = contractError(thrown, code);
  if (general instanceof ContractError && general.code !== code) return general;
  return new ContractError(code, { ...details, error: thrown.message }, { cause: thrown });
}

/**
 * How something is held: `change` by one operation alone; `make` likewise, and it is not whole before that operation
 * ends; `read` by any number of operations that only read it.
 */
export type Hold = "change" | "make" | "read";

/** What is known of an operation that holds something. */
interface Holder {
  readonly hold: Hold;
  /** The VM that is given it. */
  readonly vm?: string | undefined;
}

/** The operations that hold something, by pool: on its volumes' names, and on `null` for the pool itself. */
const holders = new Map<string, Map<string | null, Set<Holder>>>();

/** How an operation wants to hold something. */
export interface HoldRequest {
  /** `change` when nothing is said. */
  readonly hold?: Hold;
  /** The VM that is given it. */
  readonly vm?: string;
}

/** The pool of images that lie in none: they are held by their path. */
export const NO_POOL = "";

/** @throws {ContractError} StorageBusy, or DiskInUse where it is being given to a VM */
export function requireUnlocked(
  pool: string,
  volume: string | null,
  wanted: Hold = "change",
  forVm?: string,
): void {
  for (const { hold, vm } of holders.get(pool)?.get(volume) ?? []) {
    if (hold === "read" && wanted === "read") continue;
    const place = pool === NO_POOL ? volume! : `${pool}/${volume}`;
    if (vm !== undefined) {
      throw new ContractError("DiskInUse", { vm: vm === forVm ? "this VM" : vm, path: place });
    }
    const what = volume === null ? pool : pool === NO_POOL ? volume : `${volume} (${pool})`;
    throw new ContractError("StorageBusy", { what });
  }
}

/**
 * Takes something for an operation until disposed of. This is the one lock on pools, volumes and images.
 *
 * @throws {ContractError} StorageBusy, or DiskInUse where it is being given to a VM
 */
export function lockVolume(
  pool: string,
  volume: string | null = null,
  { hold = "change", vm }: HoldRequest = {},
): Disposable {
  requireUnlocked(pool, volume, hold, vm);
  const there = holders.get(pool) ?? new Map<string | null, Set<Holder>>();
  const of = there.get(volume) ?? new Set();
  const holder = { hold, vm };
  holders.set(pool, there.set(volume, of.add(holder)));
  return {
    [Symbol.dispose]: () => {
      of.delete(holder);
      if (of.size === 0 && there.get(volume) === of) there.delete(volume);
      if (there.size === 0 && holders.get(pool) === there) holders.delete(pool);
    },
  };
}

/** Whether anybody holds something. */
export const isHeld = (pool: string, volume: string): boolean =>
  (holders.get(pool)?.get(volume)?.size ?? 0) > 0;

/** Whether a volume is not whole yet: it is no volume for anybody but the operation that makes it. */
export function isUnfinished(pool: string, volume: string): boolean {
  return [...holders.get(pool)?.get(volume) ?? []].some(({ hold }) => hold === "make");
}

/** Whether any volume is not whole yet. */
export function anyUnfinished(): boolean {
  return [...holders.values()].some((pool) =>
    [...pool.values()].some((of) => [...of].some(({ hold }) => hold === "make"))
  );
}

/** Refuses to take a pool away from the work on its volumes. @throws {ContractError} StorageBusy */
export function refuseWorkedOn(pool: string): void {
  const volume = [...holders.get(pool)?.keys() ?? []].find((each) => each !== null);
  if (volume !== undefined) throw new ContractError("StorageBusy", { what: `${volume} (${pool})` });
}

/** That a pool has no room for so many bytes, told in GiB. */
export function noRoom(requested: number, available: number): ContractError {
  return new ContractError("DiskExceedsPool", {
    requested: gigabytes(requested),
    available: gigabytes(available),
  });
}
