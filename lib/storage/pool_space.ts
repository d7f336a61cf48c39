/** How much room a storage pool has. Pure. */

/** In bytes. */
export interface PoolSpace {
  readonly capacity: number;
  readonly allocation: number;
  readonly available: number;
}

const isBytes = (value: number) => Number.isFinite(value) && value >= 0;

/**
 * The figures; undefined for impossible ones, as when more is used than there is: libvirt counts the volumes' changes
 * between two refreshes of a pool, and may come below zero, which is 16 EiB.
 */
export function spaceOf({ capacity, allocation, available }: PoolSpace): PoolSpace | undefined {
  if (![capacity, allocation, available].every(isBytes)) return undefined;
  if (allocation > capacity || available > capacity) return undefined;
  return { capacity, allocation, available };
}

/** Space of a file system from statfs(2), as libvirt counts it when it refreshes a pool. */
export function fileSystemSpace(
  { bsize, blocks, bfree }: { readonly bsize: number; readonly blocks: number; readonly bfree: number },
): PoolSpace {
  const [capacity, available] = [blocks * bsize, bfree * bsize];
  return { capacity, allocation: capacity - available, available };
}
