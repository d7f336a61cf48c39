/** The pool that runs full first. Pools may share a file system, so their sizes cannot be added up. Pure. */
import type { StoragePool } from "../contract/mod.ts";

/** How full a pool is. */
export interface PoolFill {
  readonly name: string;
  readonly usedBytes: number;
  readonly capacityBytes: number;
}

/** The pool with the largest used share of its own; null where no pool tells. */
export function fullestPool(
  pools: readonly Pick<StoragePool, "name" | "capacityBytes" | "availableBytes">[],
): PoolFill | null {
  let fullest: PoolFill | null = null;
  for (const { name, capacityBytes, availableBytes } of pools) {
    if (!capacityBytes || availableBytes === undefined) continue;
    const fill = { name, usedBytes: capacityBytes - availableBytes, capacityBytes };
    if (fullest === null || fill.usedBytes / capacityBytes > fullest.usedBytes / fullest.capacityBytes) {
      fullest = fill;
    }
  }
  return fullest;
}
