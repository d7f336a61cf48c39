/**
 * A VM that runs on other images than it starts from next time: libvirt was killed while it took a snapshot, so QEMU writes
 * to images that libvirt does not know (docs/snapshots.md). What libvirt reads of its disks then is old.
 */
import type { VM } from "../../../lib/contract/mod.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import { isLive } from "../../../lib/vm/state.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { backingChain } from "../../storage/disk_images/backing.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { imagesOf, qemuOf, writtenOf } from "./disks_switched.ts";

/** A disk and the image that it is on from the next start on. */
export interface NextImage {
  readonly target: string;
  readonly path: string;
  /** The image that it is on now, as libvirt knows it; undefined for a disk that comes with the next start. */
  readonly now: string | undefined;
}

/** The disks of a VM that runs which are on other images from the next start on. @throws {LibvirtError} */
export async function changingDisks(host: LibvirtHost, vm: VM): Promise<NextImage[]> {
  if (!isLive(vm) || !vm.persistent) return [];
  const read = async (inactive: boolean) =>
    imagesOf(await host.link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
  const live = await read(false), next = await read(true);
  return keptDisks(vm.disks).flatMap(({ target }) => {
    const path = next.get(target), now = live.get(target);
    return path === undefined || path === now ? [] : [{ target, path, now }];
  });
}

/** A disk whose image of the next start is built on the one that libvirt takes for the running one. */
interface BuiltOnNow extends NextImage {
  readonly now: string;
}

/** Such disks: a person who gives a VM another image for the next start builds it on nothing. @throws {LibvirtError} */
async function builtOnNow(host: LibvirtHost, vm: VM, target: string | undefined): Promise<BuiltOnNow[]> {
  if (host.link.machine === null) return [];
  const changing = (await changingDisks(host, vm)).filter((disk) => (target ?? disk.target) === disk.target);
  const found: BuiltOnNow[] = [];
  for (const { now, ...disk } of changing) {
    const chain = await undefinedIfMissing(backingChain(disk.path)) ?? [];
    if (now !== undefined && chain.includes(now)) found.push({ ...disk, now });
  }
  return found;
}

/** Whether QEMU writes to the lower image: it has merged the upper one, and a kill kept libvirt from storing that. */
async function isMerged(host: LibvirtHost, { id }: VM, { path, now }: BuiltOnNow): Promise<boolean> {
  const pid = await qemuOf(host, id);
  return pid !== undefined && await writtenOf(host, pid, { overlay: path, base: now }) === "base";
}

/**
 * A disk of a VM that runs which QEMU writes to an image that libvirt does not know: that of the next start.
 *
 * @param target looks at this disk alone
 * @throws {LibvirtError}
 */
export async function unknownImage(
  host: LibvirtHost,
  vm: VM,
  target?: string,
): Promise<NextImage | undefined> {
  for (const disk of await builtOnNow(host, vm, target)) if (!await isMerged(host, vm, disk)) return disk;
  return undefined;
}

/**
 * A disk of a VM that runs which has an image at the next start that is merged already: what is written since is in the one
 * below it alone.
 *
 * @throws {LibvirtError}
 */
export async function mergedImage(host: LibvirtHost, vm: VM): Promise<BuiltOnNow | undefined> {
  for (const disk of await builtOnNow(host, vm, undefined)) if (await isMerged(host, vm, disk)) return disk;
  return undefined;
}

/** Text on a disk whose image for the next start was merged away, with a remedy while the VM runs. */
export const mergedText = ({ target, path, now }: BuiltOnNow): string =>
  `disk ${target} is on ${path} at the next start, and QEMU has merged that into ${now}: what is written since would not ` +
  "be there. Before the VM is shut down, delete the snapshot again, or discard the pending change and delete that image";

const unknownText = ({ target, path }: NextImage): string =>
  `QEMU writes disk ${target} to ${path}, which libvirt does not know until the next start. ` +
  "Shut the VM down and start it before";

/**
 * Why the memory of a VM is not saved, and its disks are not read or changed through libvirt; undefined where they are.
 *
 * @param target for this disk alone
 * @throws {LibvirtError}
 */
export async function unknownImageText(
  host: LibvirtHost,
  vm: VM,
  target?: string,
): Promise<string | undefined> {
  const disk = await unknownImage(host, vm, target);
  return disk && unknownText(disk);
}

/** The same, and why images below such a disk stay as they are while its merge is not stored. @throws {LibvirtError} */
export async function unsettledImageText(host: LibvirtHost, vm: VM): Promise<string | undefined> {
  const unknown = await unknownImageText(host, vm);
  if (unknown !== undefined) return unknown;
  const merged = await mergedImage(host, vm);
  return merged && mergedText(merged);
}

/**
 * Why a definition is not stored: it does not have the image that QEMU writes to and libvirt does not know, so the next start
 * would be without what the guest has written since.
 *
 * @throws {LibvirtError}
 */
export async function lostUnknown(
  host: LibvirtHost,
  vm: VM,
  xml: string,
): Promise<{ readonly path: string; readonly reason: string } | undefined> {
  const disk = await unknownImage(host, vm);
  if (disk === undefined || imagesOf(xml).get(disk.target) === disk.path) return undefined;
  return { path: disk.path, reason: unknownText(disk) };
}
