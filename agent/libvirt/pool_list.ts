/**
 * Every storage pool. libvirt's list waits for each pool in turn, so where one is slow or does not respond the others are
 * read one by one, and that one is told as it was last known, as inaccessible.
 */
import type { CallGate } from "../../ffi/call_gate.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { log } from "../log.ts";
import { isHang } from "./failure.ts";

/** `VIR_STORAGE_POOL_INACCESSIBLE` */
export const POOL_INACCESSIBLE = 4;

export interface PoolListOptions {
  readonly gate: Pick<CallGate, "isSlow" | "anySlow">;
  /** libvirt's list. @throws {LibvirtError} */
  readonly all: () => Promise<PoolRecord[]>;
  /** One pool; null where it is gone. @throws {LibvirtError} */
  readonly one: (name: string) => Promise<PoolRecord | null>;
  /** The pools as last read; undefined before the first time. */
  readonly known: () => readonly PoolRecord[] | undefined;
}

/** @throws {LibvirtError} */
export async function listPools({ gate, all, one, known }: PoolListOptions): Promise<PoolRecord[]> {
  const before = known();
  if (before === undefined) return await all();
  if (!gate.anySlow("pools")) {
    try {
      return await all();
    } catch (error) {
      if (!isHang(error)) throw error;
      log.debug("the storage pools are read one by one", { error });
    }
  }
  const read = async (record: PoolRecord): Promise<PoolRecord[]> => {
    const inaccessible = [{ ...record, state: POOL_INACCESSIBLE }];
    if (gate.isSlow(`pool:${record.name}`)) return inaccessible;
    try {
      const found = await one(record.name);
      return found === null ? [] : [found];
    } catch (error) {
      if (!isHang(error)) throw error;
      return inaccessible;
    }
  };
  return (await Promise.all(before.map(read))).flat();
}
