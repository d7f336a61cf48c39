/** How much room a pool has now: what is refused or deleted for want of it is not decided on what was counted once. */
import { type PoolSpace, spaceOf } from "../../lib/storage/pool_space.ts";
import { failureKind, isConnectionLost } from "../libvirt/failure.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { requirePoolReachable } from "./reachable.ts";

/** The room of a pool, as it was measured last; undefined where that is not known. */
export function spaceKnown(
  { inventory }: Pick<LibvirtHost, "inventory">,
  pool: string,
): PoolSpace | undefined {
  const record = inventory.storage.record(pool);
  return record === undefined || record.volumes === null ? undefined : spaceOf(record);
}

/**
 * The room of a pool now; undefined where it is not known. The file system of a folder of this host was asked by the look at
 * the pools; of any other pool libvirt counts again, where `isEnough` says that what it counted before is too little.
 *
 * @throws {LibvirtError} when libvirt is away, or the pools do not answer in time
 */
export async function spaceNow(
  host: LibvirtHost,
  pool: string,
  isEnough: (space: PoolSpace) => boolean,
): Promise<PoolSpace | undefined> {
  const { link, inventory: { storage } } = host;
  await storage.refresh();
  const known = spaceKnown(host, pool);
  if (storage.isMeasured(pool) || (known !== undefined && isEnough(known))) return known;
  try {
    await requirePoolReachable(host, pool);
    await link.call("poolRefresh", { pool });
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    if (failureKind(error) === undefined && !isNotResponding(error)) throw error;
    // Something is made in it, or its storage does not answer
    log.debug("how much room a pool has cannot be counted again", { pool, error });
    return undefined;
  }
  await storage.refresh();
  return spaceKnown(host, pool);
}
