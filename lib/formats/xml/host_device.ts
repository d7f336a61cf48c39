/**
 * Devices of the host that a VM has (`<hostdev>`): reading, writing, telling them apart. Source: "Host device assignment"
 * in libvirt's domain format. Pure.
 */
import { xml, type XmlNode } from "./build.ts";
import { type Compared, compareDevices } from "./device_diff.ts";
import { pciAddress, pciNumbers } from "./pci_address.ts";
import { passedElements, takenByAddress } from "./taken_elements.ts";
import { child, parseXml, type XmlElement } from "./tree.ts";

/** Policies for the start of a VM whose USB device is absent. */
export const STARTUP_POLICIES = ["optional", "mandatory"] as const;
export type StartupPolicy = typeof STARTUP_POLICIES[number];

/** A place on USB: another one each time a device is plugged in. */
export interface UsbPlace {
  readonly bus: number;
  readonly device: number;
}

/** A USB device: by vendor and product, by its address, or both. */
export interface UsbRef {
  readonly kind: "usb";
  /** `0781:5581`; undefined where the place alone is said. */
  readonly model: string | undefined;
  readonly place: UsbPlace | undefined;
}

/** A PCI device. */
export interface PciRef {
  readonly kind: "pci";
  /** `0000:01:00.0` */
  readonly address: string;
}

/** A device of the host. */
export type HostDeviceRef = UsbRef | PciRef;

/** A device of the host as one configuration of a VM has it. */
export interface PassedDevice {
  /** Undefined for one that is neither on USB nor PCI: SCSI, mediated devices, … */
  readonly ref: HostDeviceRef | undefined;
  /** As commands name it: {@link refText}; for others what it is, `scsi`, `mdev`, … */
  readonly device: string;
  readonly startupPolicy: string | undefined;
  readonly bootOrder: number | undefined;
}

const placeText = ({ bus, device }: UsbPlace) => `@${bus}:${device}`;

/** A device as commands name it: `0781:5581`, `0781:5581@2:5`, `0000:01:00.0`. */
export function refText(ref: HostDeviceRef): string {
  if (ref.kind === "pci") return ref.address;
  return `${ref.model ?? ""}${ref.place === undefined ? "" : placeText(ref.place)}`;
}

const USB = /^([0-9a-f]{4}:[0-9a-f]{4})?(?:@(\d{1,3}):(\d{1,3}))?$/;
const PCI = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;

/** Reads {@link refText}; PCI's domain may be left out, as lspci does. Undefined for a text that names nothing. */
export function parseRef(text: string): HostDeviceRef | undefined {
  const lower = text.trim().toLowerCase();
  const [isPci, domain = "0000", bus, slot, fn] = PCI.exec(lower) ?? [];
  if (isPci !== undefined) return { kind: "pci", address: `${domain}:${bus}:${slot}.${fn}` };
  const [isUsb, model, usbBus, device] = USB.exec(lower) ?? [];
  if (!isUsb) return undefined;
  const place = usbBus === undefined ? undefined : { bus: Number(usbBus), device: Number(device) };
  return { kind: "usb", model, place };
}

const isSamePlace = (a: UsbPlace, b: UsbPlace) => a.bus === b.bus && a.device === b.device;

/** Whether two may be the same device: as far as both say what and where it is, they say the same. */
export function mayBeSame(a: HostDeviceRef, b: HostDeviceRef): boolean {
  if (a.kind === "pci" || b.kind === "pci") {
    return a.kind === "pci" && b.kind === "pci" && a.address === b.address;
  }
  const sameModel = a.model === undefined || b.model === undefined || a.model === b.model;
  const samePlace = a.place === undefined || b.place === undefined || isSamePlace(a.place, b.place);
  const isTold = (a.model !== undefined && b.model !== undefined) ||
    (a.place !== undefined && b.place !== undefined);
  return sameModel && samePlace && isTold;
}

const hex = (text: string | undefined) => Number(text ?? "0").toString(16).padStart(4, "0");

function usbRef(source: XmlElement | undefined): UsbRef | undefined {
  const vendor = child(source, "vendor")?.attributes.id, product = child(source, "product")?.attributes.id;
  const { bus, device } = child(source, "address")?.attributes ?? {};
  const place = { bus: Number(bus ?? 0), device: Number(device ?? 0) };
  const model = vendor === undefined || product === undefined ? undefined : `${hex(vendor)}:${hex(product)}`;
  // libvirt writes no place as 0:0
  const isPlaced = place.bus > 0 && place.device > 0;
  if (model === undefined && !isPlaced) return undefined;
  return { kind: "usb", model, place: isPlaced ? place : undefined };
}

function pciRef(source: XmlElement | undefined): PciRef | undefined {
  const numbers = child(source, "address")?.attributes;
  const address = numbers && pciAddress(numbers);
  return address === undefined ? undefined : { kind: "pci", address };
}

/** A `<hostdev>`, as its element has it. */
export function passedDevice(element: XmlElement): PassedDevice {
  const { mode, type = "" } = element.attributes, source = child(element, "source");
  const isSubsystem = mode === undefined || mode === "subsystem";
  const ref = !isSubsystem
    ? undefined
    : type === "usb"
    ? usbRef(source)
    : type === "pci"
    ? pciRef(source)
    : undefined;
  const order = child(element, "boot")?.attributes.order;
  return {
    ref,
    device: ref === undefined ? type : refText(ref),
    startupPolicy: source?.attributes.startupPolicy,
    bootOrder: order === undefined ? undefined : Number(order),
  };
}

/**
 * Devices of the host that a configuration uses exclusively: also network cards (SR-IOV) and NVMe disks by their PCI
 * address.
 */
export function takenDevices(root: XmlElement): HostDeviceRef[] {
  const passed = passedElements(root).map((each) => passedDevice(each).ref);
  return [...passed, ...takenByAddress(root).map((each) => pciRef(child(each, "source")))]
    .filter((each) => each !== undefined);
}

/** A VM's host devices in both of its configurations. @throws {XmlError} */
export function compareHostDevices(
  live: string | undefined,
  next: string | undefined,
): Compared<PassedDevice>[] {
  const read = (source: string | undefined) =>
    source === undefined ? undefined : passedElements(parseXml(source)).map(passedDevice);
  const same = (a: PassedDevice, b: PassedDevice) =>
    a.ref === undefined || b.ref === undefined
      ? a.ref === b.ref && a.device === b.device
      : mayBeSame(a.ref, b.ref);
  return compareDevices(read(live), read(next), same, ["startupPolicy", "bootOrder"]);
}

/** The element that passes a device on. @param startupPolicy of a USB device; QEMU's driver takes none of others */
export function hostDeviceXml(ref: HostDeviceRef, startupPolicy: StartupPolicy = "optional"): XmlNode {
  if (ref.kind === "pci") {
    return xml(
      "hostdev",
      // libvirt takes it from the host's driver at the start, and gives it back at the end.
      { mode: "subsystem", type: "pci", managed: true },
      xml("source", {}, xml("address", pciNumbers(ref.address))),
    );
  }
  const [vendor, product] = ref.model?.split(":") ?? [];
  return xml(
    "hostdev",
    { mode: "subsystem", type: "usb", managed: true },
    xml(
      "source",
      { startupPolicy },
      vendor !== undefined && xml("vendor", { id: `0x${vendor}` }),
      product !== undefined && xml("product", { id: `0x${product}` }),
      ref.place && xml("address", { bus: ref.place.bus, device: ref.place.device }),
    ),
  );
}
