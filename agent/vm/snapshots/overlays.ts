/** New images in which disks go on, and the chains of images below disks. */
import { message, type Sentence } from "../../../lib/i18n/message.ts";
import { ContractError, type Disk, type VM } from "../../../lib/contract/mod.ts";
import { setDisk } from "../../../lib/formats/xml/clone.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Steps } from "../../operations/operation.ts";
import { type CheckedImage, checkImage } from "../../storage/disk_images/check.ts";
import { readUnreadPools } from "../../storage/overlays.ts";
import { requireRoom, requireWritable } from "../../storage/volume_checks.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { findVolumeAt, linkVolume, type PoolVolume, volumesOf } from "../../storage/volumes.ts";
import { backingChain } from "../../storage/disk_images/backing.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { resolvedPath } from "../../machine/resolved_path.ts";

/** Bytes that a new image takes at least: its tables. */
const OVERLAY_BYTES = 1024 ** 2;

/** A disk's image as a VM has it. */
export interface DiskAt {
  readonly target: string;
  readonly path: string;
  readonly format: "raw" | "qcow2";
}

/** The disk of a VM as an image on this host. Their hindrances were looked at before. */
export const diskAt = ({ target, source = "", format }: Disk): DiskAt => ({
  target,
  path: source,
  format: format === "raw" ? "raw" : "qcow2",
});

/**
 * Decides on an image that a VM has, or had at a snapshot, with the whole chain below it, and holds it.
 *
 * @throws {ContractError} DiskRefused, StorageBusy, StorageUnknown, DiskNotFound
 */
export const judge = (
  host: LibvirtHost,
  { id, name }: VM,
  { path, format }: DiskAt,
  held: DisposableStack,
): Promise<CheckedImage> =>
  // The VM has it already: whoever may take its snapshot need not be somebody who may use any file of the host.
  checkImage(
    host,
    { path, format },
    { purpose: "content", role: "administrator", vm: { id, name }, anyBase: true },
    held,
  );

const inNoPool = (target: string, path: string) =>
  message`disk ${target} (${path}) is in no active storage pool, so the external image that it would go on in would be in none either. Start its pool, or make one of its folder, first`;

/** Reason why the disks of a VM cannot go on in new images next to them. @throws {LibvirtError} */
export async function overlayHindrance(
  { link }: LibvirtHost,
  disks: readonly Disk[],
): Promise<Sentence | undefined> {
  for (const { target, source = "" } of disks) {
    if (await findVolumeAt(link, source) === undefined) return inNoPool(target, source);
  }
  return undefined;
}

/**
 * The name of a new image. No other one ever has it: libvirt may still carry out what was cut short, and goes over to
 * whatever is at the path then.
 */
function newName(vm: VM, target: string, what: string): string {
  const stem = `${vm.name}-${target}-${what}`.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 120);
  return `${stem}-${crypto.randomUUID().slice(0, 8)}.qcow2`;
}

/**
 * Makes an image on another one, in the same pool, for a VM's disk to go on in.
 *
 * @param what is part of its name: a snapshot's name
 * @throws {ContractError} SnapshotNotPossible, StoragePoolReadOnly, DiskExceedsPool, StorageBusy @throws {LibvirtError}
 */
export async function makeOverlay(
  host: LibvirtHost,
  steps: Steps,
  { vm, target, image, what }: {
    readonly vm: VM;
    readonly target: string;
    readonly image: CheckedImage;
    readonly what: string;
  },
  held: DisposableStack,
): Promise<PoolVolume> {
  const pool = image.volume?.pool;
  if (pool === undefined) {
    throw new ContractError("SnapshotNotPossible", { reason: inNoPool(target, image.path) });
  }
  await requireWritable(host, pool);
  await requireRoom(host, pool, OVERLAY_BYTES);
  const name = newName(vm, target, what);
  held.use(host.locks.take(pool, name, { hold: "make" }));
  const volume = await makeVolume(
    host.link,
    steps,
    { pool, name },
    () => linkVolume(host.link, image, { pool, name }),
  );
  await host.formats.set(volume.path, "qcow2");
  return volume;
}

/**
 * Writes the images of disks, and their whole chains, into a VM's stored definition.
 *
 * @throws {ContractError} @throws {LibvirtError}
 */
export async function storeDisks(
  { link }: LibvirtHost,
  { id: uuid }: VM,
  images: ReadonlyMap<string, Pick<CheckedImage, "path" | "format" | "type" | "backing">>,
): Promise<void> {
  const document = new XmlDocument(await link.call("domainXml", { uuid, secure: true, inactive: true }));
  for (const [target, image] of images) setDisk(document, target, image);
  await link.call("domainDefine", { xml: document.toString() });
}

/** Backing file of a volume, by its head where that can be read: QEMU and qemu-img change it without the pool. */
async function backingNow(
  { link }: LibvirtHost,
  { path, type, format, backing }: PoolVolume,
): Promise<string | undefined> {
  if (type !== "file" || format !== "qcow2" || link.machine === null) return backing?.path;
  return (await backingChain(path))[0];
}

/** The volumes that are built directly on the image at a path. @throws {Error} when one of them cannot be read */
export async function builtOn(host: LibvirtHost, path: string): Promise<PoolVolume[]> {
  const { machine, inventory: { storage } } = host;
  const real = await resolvedPath(machine, path);
  const found: PoolVolume[] = [];
  await readUnreadPools(host);
  for (const volume of storage.known()) {
    if (volume.backing === undefined) continue;
    const backing = await backingNow(host, volume);
    if (backing !== undefined && await resolvedPath(machine, backing) === real) found.push(volume);
  }
  return found;
}

/**
 * Has the pool of an image look again at what its volumes are built on.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function rereadBackings(
  { link, inventory: { storage } }: LibvirtHost,
  path: string,
): Promise<void> {
  const pool = (await findVolumeAt(link, path))?.pool;
  if (pool === undefined) return;
  try {
    await link.call("poolRefresh", { pool });
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.debug("a pool could not be refreshed", { pool, error }); // something is made in it: that tells it later
  }
  await storage.volumes(pool);
  const known = new Map(storage.peek(pool)?.map((volume) => [volume.name, volume]));
  for (const volume of await volumesOf(link, pool)) {
    const before = known.get(volume.name);
    known.delete(volume.name);
    if (before === undefined || before.backing?.path !== volume.backing?.path) storage.put(volume);
  }
  for (const name of known.keys()) storage.remove(pool, name);
}
