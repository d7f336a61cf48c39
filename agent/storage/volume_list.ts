/** The volumes of a pool as they are told. */
import type { Output } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requireActive } from "./shared.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { volumeView } from "./volume_work.ts";

/** All of them that are whole. @throws {ContractError} PoolNotFound, PoolInactive @throws {LibvirtError} */
export async function volumesIn(host: LibvirtHost, pool: string): Promise<Output<"get_volumes">> {
  requireActive(host, pool);
  const volumes = await host.inventory.storage.volumes(pool);
  const users = await VolumeUsage.read(host);
  // What is not whole yet is told of by its job.
  const whole = volumes.filter(({ name }) => !host.locks.isUnfinished(pool, name));
  return whole.map((volume) => volumeView(volume, users));
}
