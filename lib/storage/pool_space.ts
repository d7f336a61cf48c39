/** How much room a storage pool has. Pure. */

/** In bytes. */
export interface PoolSpace {
  readonly capacity: number;
  readonly allocation: number;
  readonly available: number;
}

const isBytes = (value: number) => Number.isFinite(value) && value >= 0;

/**
 * What figures tell; undefined for such as cannot be, as where more is taken than there is: libvirt counts what volumes take
 * between two looks at a pool, and may come below zero, which is 16 EiB.
 */
export function spaceOf({ capacity, allocation, available }: PoolSpace): PoolSpace | undefined {
  if (![capacity, allocation, available].every(isBytes)) return undefined;
  if (allocation > capacity || available > capacity) return undefined;
  return { capacity, allocation, available };
}

/** What statfs(2) says of a file system, as libvirt counts it when it looks at a pool. */
export function fileSystemSpace(
  { bsize, blocks, bfree }: { readonly bsize: number; readonly blocks: number; readonly bfree: number },
): PoolSpace {
  const [capacity, available] = [blocks * bsize, bfree * bsize];
  return { capacity, allocation: capacity - available, available };
}
