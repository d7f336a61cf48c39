/**
 * A disk as libvirt's domain format writes it: its element, the targets it may take, and how one is changed.
 * Source: "Hard drives, floppy disks, CDROMs" in libvirt's domain format.
 */
import { type DISK_BUSES, DISK_DRIVER, type DISK_FORMATS } from "../../contract/choices.ts";
import type { DiskTuning } from "../../contract/devices.ts";
import type { DiskLimitValues } from "../../contract/device_limits.ts";
import type { BackingImage, DiskSource } from "./new_vm.ts";
import { backingStoreXml, sourceXml } from "./backing_store.ts";
import { xml, type XmlNode } from "./build.ts";
import { ioTuneXml } from "./device_limits.ts";
import type { XmlDocument } from "./edit.ts";
import { child, type XmlElement } from "./tree.ts";

export type DiskBus = typeof DISK_BUSES[number];
export type DiskFormat = typeof DISK_FORMATS[number];

/** A disk or drive to be written. */
export interface DiskSpec extends DiskTuning {
  readonly device: "disk" | "cdrom";
  readonly bus: DiskBus;
  /** `vda`, `sdb`, … */
  readonly target: string;
  /** Absent for an empty drive. */
  readonly source?: DiskSource | undefined;
  /** The images it is built on, nearest first: all of them, for libvirt looks for no others. */
  readonly backing?: readonly BackingImage[] | undefined;
  readonly format: DiskFormat;
  readonly limits?: DiskLimitValues | undefined;
}

/** A field that `<driver>` has as an attribute. */
export type DriverField = keyof typeof DISK_DRIVER;
export const DRIVER_FIELDS = Object.keys(DISK_DRIVER) as DriverField[];
/** `detectZeroes` → `detect_zeroes`. */
const attributeOf = (field: DriverField) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Attributes of a disk's `<driver>` that are set. */
export const driverOf = (disk: XmlElement): Readonly<Partial<Record<DriverField, string>>> => {
  const attributes = child(disk, "driver")?.attributes;
  return Object.fromEntries(
    DRIVER_FIELDS.map((field) => [field, attributes?.[attributeOf(field)]])
      .filter(([, value]) => value !== undefined),
  );
};

/** A word that is written, or not at all when QEMU decides. */
const chosen = (word: string | undefined) => word === "default" ? undefined : word;

/** A disk's element. */
export function diskXml(disk: DiskSpec): XmlNode {
  const { device, bus, target, source, format } = disk;
  return xml(
    "disk",
    { type: source?.type ?? "file", device },
    xml("driver", {
      name: "qemu",
      type: format,
      ...Object.fromEntries(DRIVER_FIELDS.map((field) => [attributeOf(field), chosen(disk[field])])),
    }),
    source && sourceXml(source),
    source && backingStoreXml(disk.backing ?? []),
    xml("target", { dev: target, bus }),
    ioTuneXml(disk.limits ?? {}),
    (disk.readOnly || device === "cdrom") && xml("readonly"),
    disk.shareable && xml("shareable"),
    disk.serial !== undefined && disk.serial !== "" && xml("serial", {}, disk.serial),
    disk.bootOrder !== undefined && disk.bootOrder > 0 && xml("boot", { order: disk.bootOrder }),
  );
}

/** Prefixes of targets by bus. */
const PREFIX: Readonly<Record<DiskBus, string>> = {
  virtio: "vd",
  scsi: "sd",
  sata: "sd",
  usb: "sd",
  ide: "hd",
};
/** Most devices a bus can have: an IDE controller has two channels of two. */
const MOST_IDE = 4;
const LETTERS = 26;

/** 0 → `a`, 25 → `z`, 26 → `aa`, as Linux names disks. */
function letters(index: number): string {
  const last = String.fromCharCode(97 + index % LETTERS);
  return index < LETTERS ? last : letters(Math.floor(index / LETTERS) - 1) + last;
}

/**
 * The first free target on a bus: libvirt puts a disk at the place its name says.
 *
 * @returns undefined when the bus is full
 */
export function freeTarget(bus: DiskBus, taken: Iterable<string>): string | undefined {
  const used = new Set(taken);
  const most = bus === "ide" ? MOST_IDE : used.size + 1;
  for (let index = 0; index < most; index++) {
    const name = PREFIX[bus] + letters(index);
    if (!used.has(name)) return name;
  }
}

/** Changes how a disk is run. `find` gives its element again after each edit. */
export function tuneDisk(document: XmlDocument, find: () => XmlElement, tuning: DiskTuning): void {
  for (const field of DRIVER_FIELDS) {
    const value = tuning[field], attribute = attributeOf(field);
    if (value === undefined) continue;
    const driver = child(find(), "driver");
    if (driver) document.setAttribute(driver, attribute, chosen(value));
    else if (chosen(value) !== undefined) {
      document.append(find(), xml("driver", { name: "qemu", [attribute]: value }));
    }
  }
  const present = (name: string, node: XmlNode | undefined) => document.setChild(find, name, node);
  const { readOnly, shareable, serial, bootOrder } = tuning;
  if (readOnly !== undefined) present("readonly", readOnly ? xml("readonly") : undefined);
  if (shareable !== undefined) present("shareable", shareable ? xml("shareable") : undefined);
  if (serial !== undefined) present("serial", serial === "" ? undefined : xml("serial", {}, serial));
  if (bootOrder !== undefined) {
    present("boot", bootOrder === 0 ? undefined : xml("boot", { order: bootOrder }));
  }
}

/** Puts another medium into a drive, or none. `find` gives the drive's element again after each edit. */
export function setMedium(
  document: XmlDocument,
  find: () => XmlElement,
  source: DiskSpec["source"],
): void {
  // What libvirt adds to a running drive's element about its medium is not true of the next one.
  for (const name of ["source", "backingStore"]) {
    const old = child(find(), name);
    if (old) document.remove(old);
  }
  document.setAttribute(find(), "type", source?.type ?? "file");
  if (source === undefined) return;
  for (const node of [sourceXml(source), backingStoreXml([])]) {
    const target = child(find(), "target");
    if (target) document.insertBefore(target, node);
    else document.append(find(), node);
  }
}
