/** Adding disks and drives to a VM. */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { DISK_TUNING, type DiskTuning } from "../../../lib/contract/mod.ts";
import { ContractError, type Input, type Output, type Role, type VM } from "../../../lib/contract/mod.ts";
import { renderXml, xml } from "../../../lib/formats/xml/build.ts";
import { type DiskBus, diskXml, freeTarget } from "../../../lib/formats/xml/device_disk.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { Principal } from "../../access.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { requireActive } from "../../storage/shared.ts";
import { requireRoom } from "../../storage/volume_checks.ts";
import { createVolume, defaultPool, hasFormats, type PoolVolume, usualPool } from "../../storage/volumes.ts";
import { type CheckedImage, checkImage, requireWish } from "../../storage/disk_images/check.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";
import {
  changedPlaces,
  type Configurations,
  configurationsOf,
  deviceError,
  diskTargetsIn,
  hasController,
  type Places,
  requireUsb,
  runOf,
} from "./configurations.ts";
import { refuseUsedImage } from "../../storage/disk_images/usage.ts";
import { changedDiskLimits, diskLimitFault, diskLimitsIn } from "../../../lib/formats/xml/limit_rules.ts";
import { requireDriverKnown } from "./driver_since.ts";
import { changeDevices } from "./operate.ts";
import { refuseFaulty } from "./limits.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { requireReachable } from "../../storage/reachable.ts";

type AttachInput = Input<"attach_disk">;

/** Buses that take a device while the VM runs. Tried with libvirt 9.0 and QEMU 7.2. */
const HOTPLUG: ReadonlySet<DiskBus> = new Set(["virtio", "scsi", "usb"]);
/** Names tried for a new volume: somebody's old one may lie where the first would. */
const MOST_NAMES = 20;
/** libvirt's words for a VM all whose slots are taken; they have no code of their own. */
const NO_SLOT = /No more available PCI slots|No more available PCI addresses/i;
/** The same for USB. */
const NO_PORT = /No free USB ports/i;

/** The kind of slot or port that a running VM has run out of, for NoFreeSlot; undefined for other failures. */
function fullBus(error: unknown): string | undefined {
  if (!(error instanceof LibvirtError)) return undefined;
  return NO_SLOT.test(error.message) ? "PCI slot" : NO_PORT.test(error.message) ? "USB port" : undefined;
}

/** The default bus of a device. */
function defaultBus(device: "disk" | "cdrom", machine: string): DiskBus {
  if (device === "disk") return "virtio";
  return hasIde(machine) ? "ide" : "sata";
}

/** Only the old PC has an IDE controller. libvirt stores a disk on one elsewhere, and the VM starts no more. */
function hasIde(machine: string): boolean {
  return /^pc(-i440fx|$)|isapc/.test(machine);
}

/** Requires that exactly one of the fields names a source. @throws {ContractError} InvalidInput */
function requireOneSource({ device = "disk", create, path }: AttachInput): void {
  const reason = device === "cdrom"
    ? create === undefined ? undefined : "a drive takes a medium that is there (path), or none"
    : (create === undefined) === (path === undefined)
    ? "say one of create and path"
    : undefined;
  if (reason !== undefined) throw new ContractError("InvalidInput", { reason });
}

/** Limits the configurations to the possible ones: a running VM takes some devices only at its next start. */
function possible(places: Places, input: AttachInput, bus: DiskBus): Places {
  const { device = "disk" } = input;
  // QEMU plugs a drive in with its medium; libvirt 9.0 fails for an empty one.
  const isEmpty = device === "cdrom" && input.path === undefined;
  if (!places.live || (HOTPLUG.has(bus) && !isEmpty)) return places;
  if (input.live === true || !places.config) {
    throw new ContractError("NotHotpluggable", { device: isEmpty ? "empty drive" : kind(device), bus });
  }
  return { live: false, config: true };
}

/** How the disk is to be run. */
const tuningIn = (input: AttachInput): DiskTuning =>
  Object.fromEntries(DISK_TUNING.map((field) => [field, input[field]]));

const kind = (device: "disk" | "cdrom") => device === "cdrom" ? "drive" : "disk";

/** The image it is made of; a new volume is made here, as a step. */
async function imageFor(
  host: LibvirtHost,
  vm: VM,
  input: AttachInput,
  target: string,
  role: Role,
  steps: Steps,
  held: DisposableStack,
): Promise<Pick<CheckedImage, "path" | "type" | "format" | "secret" | "backing"> | undefined> {
  const { device = "disk", create, path, format, backingFile } = input;
  if (create !== undefined) {
    const made = await newVolume(host, vm, create, target, steps);
    return {
      path: made.path,
      type: made.type === "block" ? "block" : "file",
      format: made.format === "qcow2" ? "qcow2" : "raw",
      backing: [],
    };
  }
  if (path === undefined) return undefined;
  const wish = {
    ...requireWish(path),
    ...(format !== undefined && { format }),
    ...(backingFile !== undefined && { backingFile }),
  };
  const purpose = device === "cdrom" ? "medium" : "disk";
  const image = await checkImage(host, wish, { role, purpose, vm }, held);
  const { readOnly = false, shareable = false } = input;
  refuseUsedImage(image.uses, image.path, { readOnly: readOnly || device === "cdrom", shareable });
  return image;
}

async function newVolume(
  host: LibvirtHost,
  vm: VM,
  create: NonNullable<AttachInput["create"]>,
  target: string,
  steps: Steps,
): Promise<PoolVolume> {
  const { link } = host;
  const capacity = create.sizeGb * GIB;
  try {
    const { storage } = host.inventory;
    const pool = create.pool ?? usualPool(storage.records()) ?? await defaultPool(link);
    if (create.pool !== undefined) requireActive(host, create.pool);
    await requireRoom(host, pool, capacity);
    const files = hasFormats(requireActive(host, pool));
    const format = files ? create.format ?? "qcow2" : undefined;
    const name = create.name ?? `${vm.name.replace(/[^\w.-]/g, "-")}-${target}${format ? `.${format}` : ""}`;
    return await named(host, steps, pool, name, create.name === undefined, (each) => ({
      name: each,
      capacity,
      format,
      // Files take what is written; volumes of other pools are allocated whole.
      ...(files && { allocation: 0 }),
    }));
  } catch (error) {
    throw contractError(error, "DiskCreateFailed", "attach_disk");
  }
}

/** Whether there is a volume of that name, or a file that its pool has not seen yet. */
function isTaken(error: unknown): boolean {
  return error instanceof LibvirtError && error.kind === "libvirt" &&
    (error.code === VIR_ERR.STORAGE_VOL_EXIST || /already exists|exists already/.test(error.message));
}

/** Makes a volume; a name that was not asked for gets a number when it is taken. */
async function named(
  { link }: LibvirtHost,
  steps: Steps,
  pool: string,
  name: string,
  isFree: boolean,
  volume: (name: string) => Parameters<typeof createVolume>[2],
): Promise<PoolVolume> {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/.exec(name)!;
  for (let number = 1;; number++) {
    const each = number === 1 ? name : `${stem}-${number}${ending ?? ""}`;
    try {
      const at = { pool, name: each };
      return await makeVolume(link, steps, at, () => createVolume(link, pool, volume(each)));
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (!isFree || number === MOST_NAMES) {
        throw new ContractError("VolumeExists", { name: each, pool }, { cause: error });
      }
    }
  }
}

/** A SCSI disk without a controller would get one of libvirt's choice, for which few guests have a driver. */
async function ensureScsi(
  { link }: LibvirtHost,
  vm: VM,
  { live, next }: Configurations,
  places: Places,
  note: NoteDevice,
): Promise<void> {
  const missing = {
    live: places.live && !hasController(live, "scsi"),
    config: places.config && !hasController(next, "scsi"),
  };
  if (!missing.live && !missing.config) return;
  const controller = renderXml(xml("controller", { type: "scsi", index: 0, model: "virtio-scsi" }));
  const change = { uuid: vm.id, xml: controller, ...missing };
  note("the SCSI controller", controller, missing);
  await link.call("domainAttachDevice", change);
}

/** Writes down, for each configuration, that a device is about to be there. */
type NoteDevice = (device: string, xml: string, at: Places) => void;

const notedBy =
  (operation: Operation, vm: VM, live: XmlDocument | undefined): NoteDevice => (device, after, at) => {
    const step = { kind: "device-changed", uuid: vm.id, name: vm.name, device, before: null, after } as const;
    if (at.live && live !== undefined) operation.add({ ...step, run: runOf(live) });
    if (at.config) operation.add({ ...step, run: null });
  };

/** Plugs it in; without a free slot only for the next start, where no more was asked for. */
async function plug(
  host: LibvirtHost,
  vm: VM,
  places: Places,
  mayWait: boolean,
  attach: (places: Places) => Promise<void>,
  device: string,
): Promise<Places> {
  try {
    await attach(places);
    return places;
  } catch (error) {
    const slot = fullBus(error);
    if (slot === undefined || !places.live) throw error;
    if (!mayWait) throw new ContractError("NoFreeSlot", { device, slot }, { cause: error });
    log.info("no free slot: the device is there from the next start on", { vm: vm.name, device });
    return await plug(host, vm, { live: false, config: true }, false, attach, device);
  }
}

/** {@link plug} for other devices: attaches an element where it can be. @throws {LibvirtError|ContractError} */
export function attachElement(
  host: LibvirtHost,
  vm: VM,
  element: string,
  places: Places,
  wish: { readonly live?: boolean },
  device: string,
): Promise<Places> {
  return plug(host, vm, places, places.config && wish.live !== true, async (at) => {
    await requireReachable(host, element);
    await host.link.call("domainAttachDevice", { uuid: vm.id, xml: element, ...at });
  }, device);
}

/** Size of a VM's disks together with the new one, for its project's quota; a drive adds nothing. */
async function grownBy(
  host: LibvirtHost,
  { id, disks }: VM,
  { device = "disk", create, path, format }: AttachInput,
): Promise<{ readonly diskGb?: number }> {
  if (device !== "disk" || host.projects.projectOf(id) === undefined) return {};
  const there = { target: "", bus: "", device, readOnly: false, shareable: false };
  const bytes = path === undefined ? (create?.sizeGb ?? 0) * GIB : await host.sizes.totalBytes([
    { ...there, type: path.startsWith("/") ? "file" : "volume", source: path, ...(format && { format }) },
  ]);
  return { diskGb: (await host.sizes.totalBytes(disks) + bytes) / GIB };
}

/**
 * Adds a disk or drive. A new volume is deleted again when the VM does not take it.
 *
 * @throws {ContractError}
 */
export async function attachDisk(
  host: LibvirtHost,
  input: AttachInput,
  { role, name: actor }: Pick<Principal, "role" | "name">,
): Promise<Output<"attach_disk">> {
  const vm = host.requireVm(input.vmId);
  const wanted = changedPlaces(host, vm, input);
  requireOneSource(input);
  const { device = "disk" } = input;
  const limits = changedDiskLimits({}, diskLimitsIn(input));
  refuseFaulty(diskLimitFault(limits));
  const bus = input.bus ?? defaultBus(device, vm.machine ?? "");
  if (bus === "ide" && !hasIde(vm.machine ?? "")) {
    throw new ContractError("BusNotSupported", { machine: vm.machine ?? vm.arch ?? "unknown", bus });
  }
  const places = possible(wanted, input, bus);
  let output: Output<"attach_disk"> | undefined;
  const run = async (operation: Operation) => {
    using held = new DisposableStack();
    try {
      await requireNoSavedMemory(host, vm);
      await requireDriverKnown(host, tuningIn(input));
      const both = await configurationsOf(host, vm);
      if (bus === "usb") requireUsb(vm, both, places, kind(device));
      const taken = diskTargetsIn(both);
      if (input.target !== undefined && taken.has(input.target)) {
        throw new ContractError("TargetTaken", { target: input.target });
      }
      const target = input.target ?? freeTarget(bus, taken);
      if (target === undefined) throw new ContractError("NoFreeTarget", { bus });
      using admission = host.projects.grow(vm, await grownBy(host, vm, input));
      const image = await imageFor(host, vm, input, target, role, operation, held);
      const element = renderXml(diskXml({
        device,
        bus,
        target,
        source: image,
        backing: image?.backing,
        format: image?.format ?? "raw",
        ...tuningIn(input),
        limits,
      }));
      const note = notedBy(operation, vm, both.live);
      const done = await plug(host, vm, places, places.config && input.live !== true, async (at) => {
        if (bus === "scsi") await ensureScsi(host, vm, both, at, note);
        await requireReachable(host, element);
        note(`${kind(device)} ${target}`, element, at);
        await host.link.call("domainAttachDevice", { uuid: vm.id, xml: element, ...at });
      }, kind(device));
      admission.keep();
      output = { live: done.live, persistent: done.config, target, path: image?.path ?? null };
    } catch (error) {
      throw deviceError(error, "AttachFailed", "attach_disk", { device: kind(device) });
    }
  };
  const label = `attaching a ${kind(device)}`;
  await changeDevices(host, vm, { command: "attach_disk", actor, label }, run);
  if (host.projects.projectOf(vm.id) !== undefined) await host.sizes.read(vm.id);
  return output!;
}
