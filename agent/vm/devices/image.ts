/** Images that are to become a machine's disk or medium: found, and refused when they are not what they are said to be. */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type ErrorCode, type Role } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/message.ts";
import type { DiskFormat } from "../../../lib/xml/device_disk.ts";
import { includes } from "../../access.ts";
import { isLocal } from "../../host/local.ts";
import { secretFor } from "../../storage/luks.ts";
import { requireActive } from "../../storage/shared.ts";
import { type Volume, volumeAt, volumeNamed } from "../../storage/volumes.ts";
import type { VmServices } from "../services.ts";
import { checkedChain, ImageRefused, qcow2Head } from "../image_chain.ts";

/** An image that may be attached. */
export interface Image {
  readonly path: string;
  readonly type: "file" | "block";
  readonly format: DiskFormat;
  /** UUID of libvirt's secret with its passphrase, where it is encrypted. */
  readonly secret?: string | undefined;
}

/** Which image is asked for. */
export interface ImageWish {
  readonly volume?: { readonly pool: string; readonly name: string };
  readonly path?: string;
  readonly format?: DiskFormat;
  /** The image that it is said to be built on: any file of the host, so for administrators alone. */
  readonly backingFile?: string;
}

/** Who asks, and what for. */
export interface ImageUse {
  readonly role: Role;
  /** A medium for a drive: always raw. */
  readonly isMedium: boolean;
}

const refuse = (path: string, reason: string) => new ContractError("DiskRefused", { path, reason });

/** @throws {ContractError} Forbidden */
function requireAdministrator({ role }: ImageUse): void {
  if (!includes(role, "administrator")) throw new ContractError("Forbidden", { role: "administrator" });
}

/**
 * The image that is asked for.
 *
 * @throws {ContractError} StoragePoolNotFound, VolumeNotFound, DiskNotFound or IsoNotFound, DiskRefused, Forbidden,
 * InvalidInput
 */
export async function imageOf(services: VmServices, wish: ImageWish, use: ImageUse): Promise<Image> {
  const { link } = services;
  if (wish.backingFile !== undefined) requireAdministrator(use);
  if (wish.volume !== undefined) {
    const { pool, name } = wish.volume;
    requireActive(services, pool);
    const volume = await volumeNamed(link, pool, name);
    if (volume === undefined) throw new ContractError("VolumeNotFound", { pool, name });
    return await ofVolume(services, volume, wish, use);
  }
  if (wish.path === undefined) {
    throw new ContractError("InvalidInput", { reason: "say which image: a volume or a path" });
  }
  const known = await volumeAt(link, wish.path);
  if (known !== undefined) return await ofVolume(services, known, wish, use);
  return await outsidePools(services, wish.path, wish, use);
}

async function ofVolume(
  services: VmServices,
  volume: Volume,
  wish: ImageWish,
  { isMedium }: ImageUse,
): Promise<Image> {
  const { path } = volume;
  if (volume.type !== "file" && volume.type !== "block") {
    throw refuse(path, `it is a volume of type ${volume.type}`);
  }
  const format = isMedium ? "raw" : wish.format ?? storedFormat(services, path) ?? poolsFormat(volume);
  const image: Image = { path, type: volume.type, format };
  await inspect(services, image, wish, isMedium);
  const secret = format === "raw" && !isMedium ? await secretFor(services.link, path) : undefined;
  return { ...image, ...(secret !== undefined && { secret }) };
}

/** The format in which a machine has it already: what was said once is not guessed again. */
function storedFormat({ inventory }: VmServices, path: string): DiskFormat | undefined {
  for (const { disks } of inventory.vms()) {
    const format = disks.find((disk) => disk.source === path)?.format;
    if (format === "raw" || format === "qcow2") return format;
  }
}

/** The formats libvirt's pools tell, that are raw to a machine. */
const RAW: ReadonlySet<string | undefined> = new Set([undefined, "raw", "iso", "unknown"]);

function poolsFormat({ path, format }: Volume): DiskFormat {
  if (format === "qcow2") return "qcow2";
  if (RAW.has(format)) return "raw";
  throw refuse(path, `its format is ${format}: only qcow2 and raw can be attached`);
}

async function outsidePools(
  services: VmServices,
  path: string,
  wish: ImageWish,
  use: ImageUse,
): Promise<Image> {
  const { isMedium } = use;
  // Any file of the host: whoever may attach it can read it.
  requireAdministrator(use);
  if (!isLocal(services.link.uri)) throw refuse(path, "it is in no storage pool of the host");
  const missing: ErrorCode = isMedium ? "IsoNotFound" : "DiskNotFound";
  let real: string, info: Deno.FileInfo;
  try {
    real = await Deno.realPath(path);
    info = await Deno.stat(real);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      throw new ContractError(missing, { path, isoPath: path });
    }
    throw refuse(path, `it cannot be read (${messageOf(error)})`);
  }
  if (!info.isFile && !info.isBlockDevice) throw refuse(path, "it is neither a file nor a block device");
  if (info.isBlockDevice && await isMounted(real)) throw refuse(path, "it is mounted on this host");
  const format = isMedium ? "raw" : wish.format ?? storedFormat(services, real);
  if (format === undefined) {
    throw new ContractError("InvalidInput", {
      reason:
        "format is missing: of an image outside all storage pools it must be said, it is never guessed from the content",
    });
  }
  const image: Image = { path: real, type: info.isFile ? "file" : "block", format };
  await inspect(services, image, wish, isMedium);
  return image;
}

/** Whether a device, or a partition of it, is mounted here: a guest that writes to it too would destroy it. */
async function isMounted(device: string): Promise<boolean> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  return mounts.split("\n").some((line) => line.startsWith(device));
}

/** Whether it is what it is said to be, and names no file that is not its own. @throws {ContractError} DiskRefused */
async function inspect(
  services: VmServices,
  image: Image,
  { format: said, backingFile: named }: ImageWish,
  isMedium: boolean,
): Promise<void> {
  const { path, format } = image;
  if (!isLocal(services.link.uri) || (image.type !== "file" && format !== "qcow2")) return;
  try {
    if (format === "qcow2") {
      await checkedChain(services.link, path, { named, isSaid: said === "qcow2" });
    } else if (await qcow2Head(path) !== null && storedFormat(services, path) !== "raw") {
      throw new ImageRefused(`it is a qcow2 image, ${isMedium ? "not an ISO" : "not raw"}`);
    } else if (named !== undefined) {
      throw new ImageRefused("a raw image is built on no other");
    }
  } catch (error) {
    if (error instanceof ImageRefused) throw refuse(path, error.message);
    if (error instanceof LibvirtError) throw error;
    throw refuse(path, `it cannot be read (${messageOf(error)})`);
  }
}
