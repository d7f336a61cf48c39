/**
 * Checks before the start of a VM, for QEMU opens its images then. The chain of a disk that was attached here stands in
 * the VM's XML, so that headers are not followed. These faults remain: an image of which two VMs have different
 * formats, one that is being made, and a header that has changed since it was decided on and now names a data file,
 * which the XML cannot rule out. Other users of the images that it writes to are refused, too, see
 * `image_conflicts.ts`. VMs that others define may be built on any image: of theirs, only images that another VM's
 * guest could have written are refused.
 */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { isSystemError } from "../../machine/files.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { disksOf } from "../../../lib/formats/xml/device_diff.ts";
import { log } from "../../log.ts";
import { diskFormat } from "../../storage/format_records.ts";
import { hostUseOf, liveOnce } from "../../storage/block_devices.ts";
import { requireOwnImages } from "../../storage/image_conflicts.ts";
import { mayBeFile, pathOfDisk } from "../../storage/disk_path.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { backingImages } from "../../storage/disk_images/backing.ts";
import { ImageRefused, qcow2Head } from "../../storage/disk_images/chain.ts";
import { requireSameDevices } from "../devices/device_identity.ts";
import { requireSharesFixed } from "../devices/shared_folder.ts";
import { requireItsNetworksRespond } from "../../hosts/responsive.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireSourcesReachable } from "../../storage/reachable.ts";
import { withSaved } from "../../storage/saved_devices.ts";

/** Milliseconds the heads of a VM's images may take to be read. */
const HEADS_MS = 5000;

const refused = (path: string, reason: Sentence) => new ContractError("DiskRefused", { path, reason });

/** A VM's disk that is a file, or a volume given by its name. */
interface FileDisk {
  readonly target: string;
  readonly path: string;
  readonly format: string;
}

async function fileDisks({ link }: LibvirtHost, { disks }: VM): Promise<FileDisk[]> {
  const found: FileDisk[] = [];
  for (const disk of disks) {
    const { source, device, target } = disk;
    if (source === undefined || device !== "disk" || !mayBeFile(disk)) continue;
    const path = await pathOfDisk(link, disk);
    if (path !== undefined) found.push({ target, path, format: diskFormat(disk) });
  }
  return found;
}

/** Refuses disks that the host itself has in use by now. @throws {ContractError} DiskRefused */
async function requireFreeDevices({ disks }: VM): Promise<void> {
  const live = liveOnce();
  for (const { source, type, readOnly } of disks) {
    if (source === undefined || type !== "block" || readOnly) continue;
    const use = await hostUseOf(source, live);
    if (use !== undefined) throw refused(source, message`this host uses it: ${use}`);
  }
}

/** Another VM that has a file as its disk in another format. */
async function otherFormat({ inventory, link }: LibvirtHost, own: VM, path: string, format: string) {
  for (const vm of inventory.vms()) {
    if (vm.id === own.id) continue;
    for (const disk of vm.disks) {
      if (disk.device !== "disk" || diskFormat(disk) === format) continue;
      if (await pathOfDisk(link, disk) === path) return { vm: vmName(vm), format: diskFormat(disk) };
    }
  }
}

/** @throws {ContractError} DiskRefused when two VMs have a file in different formats */
async function requireOneFormat(
  host: LibvirtHost,
  vm: VM,
  { path, format }: Omit<FileDisk, "target">,
): Promise<void> {
  const other = await otherFormat(host, vm, path, format);
  if (other !== undefined) {
    throw refused(path, message`${other.vm} has it as ${other.format}, but ${vmName(vm)} as ${format}`);
  }
}

/** Whether the chain of a disk is complete in the VM's stored XML. */
async function isPinned({ link }: LibvirtHost, vm: VM, target: string): Promise<boolean> {
  const xml = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  return disksOf(xml).find((disk) => disk.target === target)?.isChainComplete ?? false;
}

/** @throws {ContractError} DiskRefused */
async function checkQcow2(host: LibvirtHost, vm: VM, { path, target }: FileDisk): Promise<void> {
  const { formats } = host;
  const head = await qcow2Head(path);
  if (head === null) return; // QEMU refuses it with its own words
  if (head.externalData && await formats.formatAt(path) === "qcow2") {
    throw refused(path, "since it was attached, its header has changed: it names another file for its data");
  }
  if (head.backingFile === undefined || await isPinned(host, vm, target)) return;
  for (const image of await backingImages(path)) {
    await requireOneFormat(host, vm, image);
    const recorded = await formats.formatAt(image.path);
    if (image.format === "qcow2" && recorded === "raw") {
      throw refused(path, message`it is built on ${image.path}, which a VM had as raw, not as qcow2`);
    }
  }
}

async function check(host: LibvirtHost, vm: VM): Promise<void> {
  const disks = await fileDisks(host, vm);
  for (const disk of disks) {
    await requireOneFormat(host, vm, disk);
    if (host.locks.anyUnfinished) {
      const volume = await findVolumeAt(host.link, disk.path);
      if (volume !== undefined && host.locks.isUnfinished(volume.pool, volume.name)) {
        throw new ContractError("StorageBusy", { what: `${volume.name} (${volume.pool})` });
      }
    }
    if (disk.format !== "qcow2") continue;
    try {
      await checkQcow2(host, vm, disk);
    } catch (error) {
      if (error instanceof ImageRefused) throw refused(disk.path, error.sentence);
      if (!isSystemError(error)) throw error;
      // QEMU runs as another user, and says by itself what it cannot open.
      log.info("the head of a disk cannot be read before the start", { path: disk.path, error });
    }
  }
  await requireSharesFixed(host, vm);
  await host.observeFormats([vm], true);
}

/** @param defined as its definition has it, which saved memory may not */
async function checkAll(host: LibvirtHost, defined: VM): Promise<void> {
  const vm = (await withSaved(host, [defined])).at(-1)!;
  // Before any question to libvirt that would open a file: CD-ROMs and firmware, too.
  await requireSourcesReachable(host, vm);
  await check(host, vm);
  await host.unusedOverlays?.sweep(vm.id);
  await Promise.all([requireOwnImages(host, vm), requireFreeDevices(vm), requireSameDevices(host, vm)]);
  await host.mediaOwners?.rememberAll(vm);
}

/**
 * Refuses to start a VM whose images, or shared folders, are not what they were decided to be, and one that would wait for a
 * network.
 *
 * @throws {ContractError} NetworkNotResponding, DiskRefused, DiskIsBase, DiskInUse, HostDeviceChanged, StorageBusy, StorageUnknown, StorageNotResponding, StartFailed
 * @throws {LibvirtError}
 */
export async function requireStartable(host: LibvirtHost, vm: VM): Promise<void> {
  requireItsNetworksRespond(host, vm);
  if (host.machine === null) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const reason = message`the disks of ${vmName(vm)} cannot be read now`;
    timer = setTimeout(() => reject(new ContractError("StorageUnknown", { reason })), HEADS_MS);
  });
  await Promise.race([checkAll(host, vm), limit]).finally(() => clearTimeout(timer));
}
