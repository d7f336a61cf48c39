/** Checks before libvirt, or qemu-img for it, opens a volume. */
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { freeRoom } from "./bin/room.ts";
import { isReadOnly } from "./mounts.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { spaceKnown, spaceNow } from "./pool_space.ts";
import { noRoom, requireActive } from "./shared.ts";
import type { PoolVolume } from "./volumes.ts";
import { message } from "../../lib/i18n/message.ts";

/**
 * Makes room of what is in the bin where there is too little.
 *
 * @throws {ContractError} DiskExceedsPool when a pool has no room for that many bytes more, asked again
 */
export async function requireRoom(host: LibvirtHost, pool: string, bytes: number): Promise<void> {
  await makeRoomFor(host, pool, bytes);
  refuseTooLarge(host, pool, bytes);
}

/** Space that is needed in a pool. */
export interface RoomNeeded {
  readonly pool: string;
  readonly bytes: number;
}

/**
 * Sees that each pool can be written to, and has room for all that goes into it. Of what is linked (0 bytes) it is not known how
 * large it becomes.
 *
 * @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, StoragePoolReadOnly, DiskExceedsPool
 */
export async function requirePlaces(host: LibvirtHost, placed: readonly RoomNeeded[]): Promise<void> {
  for (const [pool, into] of Map.groupBy(placed, ({ pool }) => pool)) {
    requireActive(host, pool);
    await requireWritable(host, pool);
    const bytes = into.reduce((sum, each) => sum + each.bytes, 0);
    if (bytes > 0) await requireRoom(host, pool, bytes);
  }
}

/** Asks again what a pool has free, and makes room of what is in the bin where that is too little. */
export async function makeRoomFor(host: LibvirtHost, pool: string, bytes: number): Promise<void> {
  const space = await spaceNow(host, pool, ({ available }) => bytes <= available);
  if (space !== undefined && bytes > space.available) await freeRoom(host, pool, bytes - space.available);
}

/** @throws {ContractError} DiskExceedsPool when a pool has no room for that many bytes more, as far as is known */
export function refuseTooLarge(host: LibvirtHost, pool: string, bytes: number): void {
  const space = spaceKnown(host, pool);
  if (space === undefined || bytes <= space.available) return;
  throw noRoom(bytes, space.available);
}

/** The folder of a pool in which nothing can be written; undefined for any other pool. */
export async function readOnlyFolder(
  { link, inventory }: LibvirtHost,
  pool: string,
): Promise<string | undefined> {
  const { path } = describePool(inventory.storage.record(pool)?.xml ?? "<pool/>");
  if (path === undefined || path.startsWith("/dev/") || link.machine === null) return undefined;
  return await isReadOnly(path) ? path : undefined;
}

/**
 * Refuses to make, change or delete a volume where nothing can be written: libvirt and qemu-img would tell of it each in
 * its own way.
 *
 * @throws {ContractError} StoragePoolReadOnly
 */
export async function requireWritable(services: LibvirtHost, pool: string): Promise<void> {
  const path = await readOnlyFolder(services, pool);
  if (path !== undefined) throw new ContractError("StoragePoolReadOnly", { pool, path });
}

/**
 * Refuses a link in a pool's folder that leads out of it: libvirt would follow it.
 *
 * @throws {ContractError} DiskRefused
 */
export async function requireWithin({ link, inventory }: LibvirtHost, volume: PoolVolume): Promise<void> {
  if (volume.type !== "file" || link.machine === null) return;
  const { path } = volume;
  const folder = describePool(inventory.storage.record(volume.pool)?.xml ?? "<pool/>").path;
  if (folder === undefined) return;
  const [real, within] = await Promise.all([
    link.machine.files.realPathOf(path),
    link.machine.files.realPathOf(folder),
  ]);
  if (real.startsWith(`${within}/`)) return;
  throw new ContractError("DiskRefused", {
    path,
    reason: message`it is a link to ${real}, outside its storage pool`,
  });
}
