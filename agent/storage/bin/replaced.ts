/** Volumes whose place others have taken: a person who replaced them by mistake gets them back from the bin. */
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { refuseUsedVolume } from "../volume_work.ts";
import type { PoolVolume } from "../volumes.ts";
import { binVolume } from "./volume.ts";

/**
 * Moves a volume that was replaced into the bin.
 *
 * @returns false where the bin is off, or cannot keep it
 * @throws {ContractError} VolumeInUse, VolumeBusy, VolumeDeleteFailed, StoreUnavailable @throws {LibvirtError}
 */
export async function binReplaced(host: LibvirtHost, volume: PoolVolume, actor: string): Promise<boolean> {
  using _held = host.locks.take(volume.pool, volume.name);
  await refuseUsedVolume(host, volume);
  return await binVolume(host, volume, actor) !== undefined;
}
