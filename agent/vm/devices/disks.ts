/** Removing, growing and changing a VM's disks. */
import { message, type Sentence, userName } from "../../../lib/i18n/message.ts";
import { plainPath } from "../../machine/host_file.ts";
import {
  ContractError,
  type DiskLimitValues,
  type Input,
  type Output,
  type Role,
  type VM,
} from "../../../lib/contract/mod.ts";
import type { DiskTuning } from "../../../lib/contract/mod.ts";
import { type DiskDevice, disksOf } from "../../../lib/formats/xml/device_diff.ts";
import { type DiskBus, tuneDisk } from "../../../lib/formats/xml/device_disk.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { XmlElement } from "../../../lib/formats/xml/tree.ts";
import { diskLimitsIn } from "../../../lib/formats/xml/limit_rules.ts";
import { includes, type Principal } from "../../access.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { receiptOf } from "../../storage/bin/keep.ts";
import { planVolume } from "../../storage/bin/volume.ts";
import { imageSize } from "../../storage/disk_images/size.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import { exactUsers } from "../../storage/exact_users.ts";
import { findVolumeAt, findVolumeNamed, resizeVolume } from "../../storage/volumes.ts";
import { deleteDisk } from "../lifecycle/delete.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isOff } from "../lifecycle/undefine.ts";
import { requireRoom } from "../../storage/volume_checks.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import { changedPlaces, configurationsOf, deviceError, diskIn } from "./configurations.ts";
import { limitDisk, limitLiveDisk, refuseShared } from "./limits.ts";
import { changeDevices } from "./operate.ts";
import { type Removal, removalSteps, removeNoted } from "./release.ts";
import { refuseUsedImage, usesOf } from "../../storage/disk_images/usage.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { requireDriverKnown } from "./driver_since.ts";
import { unknownImageText } from "../snapshots/next_start.ts";
import { requireReachable } from "../../storage/reachable.ts";

/** Buses that let a device go while the VM runs. */
const HOTPLUG: ReadonlySet<string> = new Set<DiskBus>(["virtio", "scsi", "usb"]);

/** The disk with this target as a configuration has it. */
function described(xml: string | undefined, target: string): DiskDevice | undefined {
  return xml === undefined ? undefined : disksOf(xml).find((disk) => disk.target === target);
}

/** The file or block device a disk is on; undefined for an empty drive and for what is on another host. */
async function pathOf({ link }: LibvirtHost, disk: DiskDevice): Promise<string | undefined> {
  if (disk.volume !== undefined) {
    return (await findVolumeNamed(link, disk.volume.pool, disk.volume.name))?.path;
  }
  return disk.type === "file" || disk.type === "block" ? disk.source : undefined;
}

/** Present capacity of a disk, in bytes; undefined where it is not known. @throws {LibvirtError} */
async function capacityOf(
  host: LibvirtHost,
  vm: VM,
  disk: DiskDevice,
  isLive: boolean,
): Promise<number | undefined> {
  if (isLive) {
    return (await host.link.call("domainDiskSizes", { uuid: vm.id, targets: [disk.target] }))[0]?.capacity;
  }
  const path = await pathOf(host, disk);
  const volume = path === undefined ? undefined : await findVolumeAt(host.link, path);
  if (path === undefined || host.machine === null) return volume?.capacity;
  const size = await imageSize(host.machine, path, disk.format, volume);
  return typeof size === "object" ? size.capacity : volume?.capacity;
}

/** Other users of an image: snapshots, including the VM's own, templates, the bin, volumes that are built on it. */
async function keptFor(host: LibvirtHost, vm: VM, path: string): Promise<Sentence | undefined> {
  const useOf = await exactUsers(host, { givenUpBy: vm.id });
  const volume = await findVolumeAt(host.link, path) ?? { pool: "", name: path, path, type: "file" };
  const use = await useOf(volume);
  return use && message`it is also used by ${use.user}`;
}

/** Refuses to delete what is not this VM's alone. @throws {ContractError} Forbidden, DiskDeleteFailed */
async function requireOwn(
  host: LibvirtHost,
  vm: VM,
  disk: DiskDevice,
  isLeftLive: boolean,
  role: Role,
): Promise<string> {
  if (!includes(role, "administrator")) throw new ContractError("Forbidden", { role: "administrator" });
  const path = await pathOf(host, disk);
  if (path === undefined || disk.device !== "disk") {
    throw new ContractError("DiskDeleteFailed", {
      path: disk.source ?? disk.target,
      error: "it is no volume",
    });
  }
  const others = (await usesOf(host, path)).filter((use) => use.vmId !== vm.id || use.target !== disk.target);
  const error = others[0] !== undefined
    ? message`it is also used by ${userName(others[0])}`
    : disk.shareable
    ? "it is marked as shared with other VMs"
    : isLeftLive
    ? "the running VM still has it"
    : await keptFor(host, vm, path);
  if (error !== undefined) throw new ContractError("DiskDeleteFailed", { path, error });
  return path;
}

/**
 * Takes a disk or drive away, and deletes its volume when asked.
 *
 * @throws {ContractError}
 */
export async function detachDisk(
  host: LibvirtHost,
  input: Input<"detach_disk">,
  { role, name: actor }: Pick<Principal, "role" | "name">,
): Promise<Output<"detach_disk">> {
  const vm = host.requireVm(input.vmId);
  const { target, deleteVolume = false } = input;
  const places = changedPlaces(host, vm, input);
  let output: Output<"detach_disk"> | undefined;
  const run = async (operation: Operation) => {
    try {
      await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      const inLive = diskIn(live, target), inNext = diskIn(next, target);
      const disk = described(live?.toString(), target) ?? described(next?.toString(), target);
      const wanted = {
        live: places.live ? inLive : undefined,
        next: places.config ? inNext : undefined,
      };
      if (disk === undefined || (!wanted.live && !wanted.next)) {
        throw new ContractError("NoSuchDisk", { target });
      }
      const unknown = await unknownImageText(host, vm, target);
      if (unknown !== undefined) {
        throw new ContractError("DetachFailed", { device: `disk ${target}`, error: unknown });
      }
      if (wanted.live && !HOTPLUG.has(disk.bus)) {
        if (input.live === true || !wanted.next) {
          const device = disk.device === "disk" ? "disk" : "drive";
          throw new ContractError("NotHotpluggable", { device, bus: disk.bus });
        }
        wanted.live = undefined;
      }
      const isLeft = (inLive && !wanted.live) || (inNext && !wanted.next);
      const path = deleteVolume
        ? await requireOwn(host, vm, disk, isLeft !== undefined && isLeft, role)
        : undefined;
      // What others gave the VM, its guest may have written on since
      await host.observeFormats([vm], true);
      const volume = path === undefined ? undefined : await findVolumeAt(host.link, path);
      const move = volume && await planVolume(host, volume, actor);
      const going: Removal = {
        device: `${disk.device === "disk" ? "disk" : "drive"} ${target}`,
        live: live && wanted.live && { document: live, element: wanted.live },
        next: next && wanted.next && { document: next, element: wanted.next },
        find: (document) => diskIn(document, target),
      };
      // The disk before its volume, which waits until no VM has it; both at once, or a kill would have one go without the other.
      const steps = removalSteps(vm, going);
      if (move !== undefined) await move.begin(operation, steps);
      else operation.addAll([...steps, ...path === undefined ? [] : [await doomed(host, path)]]);
      await removeNoted(host, vm, going);
      if (path !== undefined) {
        await refuseStarted(host, vm, target, path);
        await (move === undefined ? deleteOf(host, path) : move.move());
      }
      output = {
        live: wanted.live !== undefined,
        persistent: wanted.next !== undefined,
        deletedVolume: path ?? null,
        bin: move === undefined ? null : receiptOf(move.entry),
      };
    } catch (error) {
      throw deviceError(error, "DetachFailed", "detach_disk", { device: `disk ${target}` });
    }
  };
  await changeDevices(host, vm, { command: "detach_disk", actor, label: "detaching a disk" }, run);
  return output!;
}

/** Refuses to delete what a VM that was started meanwhile runs with. @throws {ContractError} DiskDeleteFailed */
async function refuseStarted(
  { link }: LibvirtHost,
  { id: uuid }: VM,
  target: string,
  path: string,
): Promise<void> {
  const domain = await link.call("domainRead", { uuid });
  if (domain === null || isOff(domain)) return;
  const live = new XmlDocument(await link.call("domainXml", { uuid, secure: false, inactive: false }));
  if (diskIn(live, target) === undefined) return;
  throw new ContractError("DiskDeleteFailed", { path, error: "the running VM still has it" });
}

const doomed = async ({ link }: LibvirtHost, path: string) =>
  ({ kind: "disk-doomed", path, file: await fileOf(link, path) }) as const;

async function deleteOf(host: LibvirtHost, path: string): Promise<void> {
  try {
    await deleteDisk(host, path);
  } catch (error) {
    throw deviceError(error, "DiskDeleteFailed", "detach_disk", { path });
  }
}

/**
 * Makes a disk larger: a running VM's through QEMU, which knows its format; a stopped VM's through its
 * volume, in the format the VM has it in, whatever its content looks like.
 *
 * @throws {ContractError}
 */
export async function resizeDisk(
  host: LibvirtHost,
  { vmId, target, sizeGb }: Input<"resize_disk">,
): Promise<Output<"resize_disk">> {
  const vm = host.requireVm(vmId);
  const { link } = host;
  const bytes = sizeGb * GIB;
  await host.claims.operate(vm, "resizing a disk", async () => {
    try {
      await requireNoSavedMemory(host, vm);
      const { live, next } = await configurationsOf(host, vm);
      const running = described(live?.toString(), target);
      const disk = running ?? described(next?.toString(), target);
      if (disk === undefined) throw new ContractError("NoSuchDisk", { target });
      const fail = (error: Sentence) => new ContractError("ResizeFailed", { error });
      if (disk.device !== "disk") throw fail(`${target} is a drive: its medium has the size it has`);
      const unknown = await unknownImageText(host, vm, target);
      if (unknown !== undefined) throw fail(unknown);
      const path = await pathOf(host, disk);
      const volume = path === undefined ? undefined : await findVolumeAt(link, path);
      const current = await capacityOf(host, vm, disk, running !== undefined);
      if (current === undefined) throw fail("its present size is not known");
      if (bytes <= current) throw new ContractError("NotLarger", { current, requested: bytes });
      if (volume !== undefined) await requireRoom(host, volume.pool, bytes - current);
      const isCounted = host.projects.projectOf(vm.id) !== undefined;
      const others = isCounted ? await host.sizes.totalBytes(vm.disks) - current : 0;
      using admission = host.projects.grow(vm, isCounted ? { diskGb: (others + bytes) / GIB } : {});
      if (running) await link.call("domainBlockResize", { uuid: vm.id, target, bytes });
      else if (path === undefined) throw fail("it is not on this host");
      else await growStopped(host, vm, disk, path, bytes);
      await host.sizes.read(vm.id);
      admission.keep();
    } catch (error) {
      throw deviceError(error, "ResizeFailed", "resize_disk");
    }
  });
  return { capacityBytes: bytes };
}

async function growStopped(
  host: LibvirtHost,
  vm: VM,
  { target, format = "raw" }: DiskDevice,
  path: string,
  bytes: number,
): Promise<void> {
  const { link } = host;
  const others = (await usesOf(host, path)).filter((use) => use.vmId !== vm.id || use.target !== target);
  if (others[0] !== undefined) throw new ContractError("DiskInUse", { vm: userName(others[0]), path });
  const volume = await findVolumeAt(link, path);
  const seen = volume?.format ?? "raw";
  if (volume !== undefined && (seen === format || (format === "raw" && volume.type === "block"))) {
    return await resizeVolume(link, path, bytes);
  }
  // libvirt tells a volume's format from its content, which is the guest's; a raw image simply gets longer.
  if (format === "raw" && link.machine !== null && (await link.machine.files.lstat(plainPath(path))).isFile) {
    await link.machine.files.truncate(plainPath(path), bytes);
    if (volume !== undefined) await refreshPool(host, volume.pool);
    return;
  }
  throw volume === undefined
    ? new ContractError("ResizeFailed", {
      error: message`${path} is in no storage pool. Start the VM, then resize it`,
    })
    : new ContractError("DiskRefused", {
      path,
      reason: message`the VM has it as ${format}, but it is ${seen}`,
    });
}

/** The pool shows the new size with its next refresh at the latest. */
async function refreshPool({ link }: LibvirtHost, pool: string): Promise<void> {
  try {
    await link.call("poolRefresh", { pool });
  } catch (error) {
    log.debug("a pool could not be refreshed", { pool, error });
  }
}

/** The fields of a change that a disk does not have as they are to be. */
function differing(document: XmlDocument, target: string, tuning: DiskTuning): string[] {
  return Object.entries(tuning).filter(([field, value]) => {
    const asWanted = new XmlDocument(document.toString());
    tuneDisk(asWanted, () => diskIn(asWanted, target)!, { [field]: value });
    return asWanted.toString() !== document.toString();
  }).map(([field]) => field);
}

/**
 * Changes a disk's limits, at once and for the next start, and how it is run, from the next start on.
 *
 * @throws {ContractError}
 */
export async function updateDisk(
  host: LibvirtHost,
  { vmId, target, ...input }: Input<"update_disk">,
  actor: string,
): Promise<Output<"update_disk">> {
  const vm = host.requireVm(vmId);
  const limits = diskLimitsIn(input);
  const tuning: DiskTuning = Object.fromEntries(
    Object.entries(input).filter(([field]) => !Object.hasOwn(limits, field)),
  );
  const isLimited = Object.keys(limits).length > 0, isTuned = Object.keys(tuning).length > 0;
  if (isTuned && !vm.persistent) throw new ContractError("VmNotPersistent");
  await requireDriverKnown(host, tuning);
  if (!isLimited && !isTuned) throw new ContractError("InvalidInput", { reason: "say what to change" });
  let output: Output<"update_disk"> | undefined;
  const run = async (operation: Operation) => {
    try {
      const { live, next } = await configurationsOf(host, vm);
      const running = live && diskIn(live, target) && live;
      const stored = vm.persistent && next && diskIn(next, target) ? next : undefined;
      if (!stored && (isTuned || !running)) throw new ContractError("NoSuchDisk", { target });
      for (const each of isLimited ? [running, stored] : []) if (each) refuseShared(each, target);
      if (stored && differing(stored, target, tuning).length > 0) await requireNoSavedMemory(host, vm);
      if (stored) await prepareNext(host, vm, stored, target, tuning, limits);
      if (isLimited && running) {
        await limitLiveDisk(host, vm, { document: running, target }, limits, operation);
      }
      if (stored) {
        const xml = stored.sourceOf(diskIn(stored, target)!);
        await requireReachable(host, xml);
        await host.link.call("domainUpdateDevice", { uuid: vm.id, xml, live: false, config: true });
      }
      const waiting = running ? differing(running, target, tuning) : [];
      output = { live: isLimited && running !== undefined, persistent: stored !== undefined, waiting };
    } catch (error) {
      throw deviceError(error, "UpdateFailed", "update_disk");
    }
  };
  await changeDevices(host, vm, { command: "update_disk", actor, label: "changing a disk" }, run);
  return output!;
}

/** Makes a disk in what the next start has as it is to be. @throws {ContractError} */
async function prepareNext(
  host: LibvirtHost,
  vm: VM,
  next: XmlDocument,
  target: string,
  tuning: DiskTuning,
  limits: DiskLimitValues,
): Promise<void> {
  // Found a moment ago in the same document.
  const find = (): XmlElement => diskIn(next, target)!;
  const disk = described(next.toString(), target)!;
  if ((tuning.bootOrder ?? 0) > 0 && next.find("os", "boot") !== undefined) {
    throw new ContractError("UpdateFailed", {
      error: "its boot order is set by kinds of devices, for the VM as a whole. Change it with its hardware",
    });
  }
  const path = await pathOf(host, disk);
  const { readOnly = disk.readOnly, shareable = disk.shareable } = tuning;
  if (path !== undefined && (readOnly !== disk.readOnly || shareable !== disk.shareable)) {
    refuseUsedImage(await usesOf(host, path), path, { readOnly, shareable }, { vmId: vm.id, target });
  }
  tuneDisk(next, find, disk.device === "cdrom" ? { ...tuning, readOnly: true } : tuning);
  limitDisk(next, find, limits);
}
