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
  readonly gate: Pick<CallGate, "isSlow" | "anySlow" | "isLocked">;
  /** libvirt's list. @throws {LibvirtError} */
  readonly all: () => Promise<PoolRecord[]>;
  /** One pool; null where it is gone. @throws {LibvirtError} */
  readonly one: (name: string) => Promise<PoolRecord | null>;
  /** The pools as last read; undefined before the first time. */
  readonly known: () => readonly PoolRecord[] | undefined;
  /** Names of the pools by libvirt's own files; undefined where those may not be read. */
  readonly names: () => Promise<readonly string[] | undefined>;
}

/** @throws {LibvirtError} */
export async function listPools({ gate, all, one, known, names }: PoolListOptions): Promise<PoolRecord[]> {
  const before = new Map<string, PoolRecord | undefined>(known()?.map((record) => [record.name, record]));
  if (before.size === 0 || !gate.anySlow("pools")) {
    try {
      return await all();
    } catch (error) {
      if (!isHang(error)) throw error;
      const found = await names();
      if (found === undefined && known() === undefined) throw error;
      for (const name of found ?? []) if (!before.has(name)) before.set(name, undefined);
      log.debug("the storage pools are read one by one", { error });
    }
  }
  const read = async ([name, record]: readonly [string, PoolRecord | undefined]): Promise<PoolRecord[]> => {
    const asKnown = record === undefined ? [] : [record];
    const inaccessible = asKnown.map((each) => ({ ...each, state: POOL_INACCESSIBLE }));
    if (gate.isLocked(`pool:${name}`)) return inaccessible;
    // It is busy with what takes its time
    if (gate.isSlow(`pool:${name}`)) return asKnown;
    try {
      const found = await one(name);
      return found === null ? [] : [found];
    } catch (error) {
      if (!isHang(error)) throw error;
      return inaccessible;
    }
  };
  return (await Promise.all([...before].map(read))).flat();
}
