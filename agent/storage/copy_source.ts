/** The source of a copy: decided on when its turn has come, and held until the copy is made. */
import { ContractError, type Role } from "../../lib/contract/mod.ts";
import { type CheckedImage, checkImage, type ImageRequest } from "./disk_images/check.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { holdWriters } from "./volume_usage.ts";
import type { PoolVolume } from "./volumes.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** A volume that may be copied, with the whole chain it is read through. */
export interface CopySource extends CheckedImage {
  readonly volume: PoolVolume;
}

/**
 * Decides on a source, and locks it, its backing images and the VMs that could write to any of them.
 *
 * @param except a VM that is held already
 * @throws {ContractError} the error of the decision, VolumeInUse, VmBusy, DiskRefused @throws {LibvirtError}
 */
export async function copySource(
  host: LibvirtHost,
  wish: ImageRequest,
  role: Role,
  held: DisposableStack,
  except?: string,
): Promise<CopySource> {
  const image = await checkImage(host, wish, { purpose: "content", role }, held);
  const { path, volume } = image;
  const refused = (reason: Sentence) => new ContractError("DiskRefused", { path, reason });
  if (volume === undefined) throw refused("it is in no storage pool");
  if (image.secret !== undefined || volume.encryption?.secret !== undefined) {
    throw refused("it is encrypted, and its passphrase belongs to it alone: copy inside a VM");
  }
  await holdWriters(host, { ...image, volume }, held, except);
  return { ...image, volume };
}
