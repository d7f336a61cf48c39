/** What is looked at before libvirt, or qemu-img for it, opens a volume. */
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/xml/pool.ts";
import { isLocal } from "../host/local.ts";
import { checkedChain, ImageRefused, qcow2Head } from "../vm/image_chain.ts";
import type { VmServices } from "../vm/services.ts";
import type { Volume } from "./volumes.ts";

const GIB = 1024 ** 3;
/** Milliseconds an image's head may take to be read. */
const HEAD_MS = 10_000;

/** @throws {ContractError} DiskExceedsPool when a pool has no room for that many bytes more, asked anew */
export async function requireRoom(services: VmServices, pool: string, bytes: number): Promise<void> {
  await services.inventory.storage.refresh();
  refuseTooLarge(services, pool, bytes);
}

/** @throws {ContractError} DiskExceedsPool when a pool has no room for that many bytes more, as far as is known */
export function refuseTooLarge({ inventory }: VmServices, pool: string, bytes: number): void {
  const record = inventory.storage.record(pool);
  if (record === undefined || bytes <= record.available) return;
  throw new ContractError("DiskExceedsPool", {
    requested: Math.ceil(bytes / GIB),
    available: Math.floor(record.available / GIB),
  });
}

/**
 * Refuses a link in a pool's folder that leads out of it: libvirt would follow it.
 *
 * @throws {ContractError} DiskRefused
 */
export async function requireWithin({ link, inventory }: VmServices, volume: Volume): Promise<void> {
  if (volume.type !== "file" || !isLocal(link.uri)) return;
  const { path } = volume;
  const folder = describePool(inventory.storage.record(volume.pool)?.xml ?? "<pool/>").path;
  if (folder === undefined) return;
  const [real, within] = await Promise.all([Deno.realPath(path), Deno.realPath(folder)]);
  if (real.startsWith(`${within}/`)) return;
  throw new ContractError("DiskRefused", {
    path,
    reason: `it is a link to ${real}, outside its storage pool`,
  });
}

/** @throws {ContractError} DiskRefused for an image whose head names files that are no volumes of a pool */
async function requireOwnImages({ link }: VmServices, { path }: Volume): Promise<void> {
  try {
    if (await qcow2Head(path) !== null) await checkedChain(link, path, { isSaid: true });
  } catch (error) {
    if (!(error instanceof ImageRefused)) throw error;
    throw new ContractError("DiskRefused", { path, reason: error.message }, { cause: error });
  }
}

/**
 * Refuses an image that leads elsewhere: a link out of its pool, a head that names files which are no volumes.
 *
 * @throws {ContractError} DiskRefused, StorageUnknown when it cannot be read in time
 */
export async function trusted(services: VmServices, volume: Volume): Promise<void> {
  if (volume.type !== "file" || !isLocal(services.link.uri)) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const reason = `${volume.path} cannot be read now`;
    timer = setTimeout(() => reject(new ContractError("StorageUnknown", { reason })), HEAD_MS);
  });
  const looking = requireWithin(services, volume).then(() => requireOwnImages(services, volume));
  await Promise.race([looking, limit]).finally(() => clearTimeout(timer));
}
