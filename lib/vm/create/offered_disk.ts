/** The size of the disk that is offered for a new VM, where none was chosen. */
import type { CreateOptions } from "../../contract/mod.ts";
import { GIB } from "../../text/byte_units.ts";

/** Options that say how much space is left. */
export type RoomOptions = Pick<CreateOptions, "pools" | "pool">;

/**
 * GiB of the disk that is offered: no more than the pool of new disks has left, for then nothing of the form could be worked
 * out; at least one.
 */
export function offeredDiskGb(wanted: number, { pools, pool }: RoomOptions): number {
  const free = pools.find(({ name }) => name === pool)?.availableBytes ?? null;
  return free === null ? wanted : Math.max(1, Math.min(wanted, Math.floor(free / GIB)));
}
