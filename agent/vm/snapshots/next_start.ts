/**
 * A VM that runs on other images than it starts from next time: libvirt was killed while it took a snapshot, so QEMU writes
 * to images that libvirt does not know (docs/snapshots.md). What libvirt reads of its disks then is old.
 */
import type { VM } from "../../../lib/contract/mod.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import { isLive } from "../../../lib/vm/state.ts";
import type { Host } from "../../hosts/host.ts";
import { backingChain } from "../../storage/disk_images/backing.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { imagesOf } from "./disks_switched.ts";

/** A disk and the image that it is on from the next start on. */
export interface NextImage {
  readonly target: string;
  readonly path: string;
  /** The image that it is on now, as libvirt knows it; undefined for a disk that comes with the next start. */
  readonly now: string | undefined;
}

/** The disks of a VM that runs which are on other images from the next start on. @throws {LibvirtError} */
export async function changingDisks(host: Host, vm: VM): Promise<NextImage[]> {
  if (!isLive(vm) || !vm.persistent) return [];
  const read = async (inactive: boolean) =>
    imagesOf(await host.link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
  const live = await read(false), next = await read(true);
  return keptDisks(vm.disks).flatMap(({ target }) => {
    const path = next.get(target), now = live.get(target);
    return path === undefined || path === now ? [] : [{ target, path, now }];
  });
}

/**
 * A disk of a VM that runs which QEMU writes to an image that libvirt does not know: the image of the next start is built on the
 * one that libvirt takes for the running one. A person who gives a VM another image for the next start builds it on nothing.
 *
 * @throws {LibvirtError}
 */
export async function unknownImage(host: Host, vm: VM): Promise<NextImage | undefined> {
  if (host.link.machine === null) return undefined;
  for (const disk of await changingDisks(host, vm)) {
    const chain = await undefinedIfMissing(backingChain(disk.path)) ?? [];
    if (disk.now !== undefined && chain.includes(disk.now)) return disk;
  }
  return undefined;
}

/** Why the memory of a VM is not saved, and its disks are not read through libvirt; undefined where they are. @throws {LibvirtError} */
export async function unknownImageText(host: Host, vm: VM): Promise<string | undefined> {
  const disk = await unknownImage(host, vm);
  return disk &&
    `QEMU writes disk ${disk.target} to ${disk.path}, which libvirt does not know until the next start. ` +
      "Shut the VM down and start it before";
}
