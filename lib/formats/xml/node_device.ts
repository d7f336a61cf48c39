/**
 * Devices of a host, as libvirt's node device format tells them. Source: "Node devices XML format" of libvirt.
 */
import { pciAddress } from "./pci_address.ts";
import { child, children, childText, parseXml, type XmlElement } from "./tree.ts";

/** Vendor and product of a device on either bus. */
interface Identified {
  /** Four hexadecimal digits. */
  readonly vendorId: string;
  readonly productId: string;
  readonly vendor: string | undefined;
  readonly product: string | undefined;
}

/** A PCI device. */
export interface PciCapability extends Identified {
  readonly kind: "pci";
  /** `0000:01:00.0` */
  readonly address: string;
  /** Base class, subclass and interface: `0x030000`; undefined where libvirt is too old to tell. */
  readonly classCode: number | undefined;
  /** It leads to other devices. */
  readonly isBridge: boolean;
  readonly iommuGroup: { readonly number: number; readonly members: readonly string[] } | undefined;
  readonly numaNode: number | undefined;
  /** The device that this one is a virtual function of. */
  readonly physicalFunction: string | undefined;
  readonly virtualFunctions: readonly string[];
  /** How many there can be; undefined where it has no SR-IOV. */
  readonly maxVirtualFunctions: number | undefined;
}

/** A USB device, as it is plugged in. */
export interface UsbCapability extends Identified {
  readonly kind: "usb";
  readonly bus: number;
  /** Another one each time it is plugged in. */
  readonly device: number;
}

/** One of the things that a USB device does. */
export interface UsbInterfaceCapability {
  readonly kind: "usb-interface";
  /** Class, subclass and protocol, as the USB forum numbers them. */
  readonly code: readonly [number, number, number];
}

/** Kind of a device, with its properties. */
export type NodeCapability =
  | PciCapability
  | UsbCapability
  | UsbInterfaceCapability
  | { readonly kind: "net"; readonly name: string }
  | { readonly kind: "storage"; readonly block: string; readonly model: string | undefined };

/** A device of the host. */
export interface NodeDevice<C extends NodeCapability = NodeCapability> {
  /** libvirt's name: `pci_0000_01_00_0`. */
  readonly name: string;
  /** Path in the kernel's tree; undefined for a driver without one. */
  readonly path: string | undefined;
  readonly parent: string | undefined;
  /** The host's driver that has it now. */
  readonly driver: string | undefined;
  readonly capability: C;
}

/** A number as libvirt writes it: `31`, `0x1f`. */
function numberIn(text: string | undefined): number | undefined {
  const number = Number(text?.trim() || undefined);
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

const id = (element: XmlElement | undefined) =>
  (numberIn(element?.attributes.id) ?? 0).toString(16).padStart(4, "0");
const name = (element: XmlElement | undefined) => element?.text.trim() || undefined;

function identified(capability: XmlElement): Identified {
  const vendor = child(capability, "vendor"), product = child(capability, "product");
  return { vendorId: id(vendor), productId: id(product), vendor: name(vendor), product: name(product) };
}

const addressesIn = (element: XmlElement | undefined) =>
  children(element, "address").map(({ attributes }) => pciAddress(attributes)).filter((each) =>
    each !== undefined
  );

function pci(capability: XmlElement): PciCapability | undefined {
  const part = (name: string) => childText(capability, name);
  const address = pciAddress({
    domain: part("domain"),
    bus: part("bus"),
    slot: part("slot"),
    function: part("function"),
  });
  if (address === undefined) return undefined;
  const more = (type: string) =>
    children(capability, "capability").find(({ attributes }) => attributes.type === type);
  const group = child(capability, "iommuGroup"), number = numberIn(group?.attributes.number);
  const functions = more("virt_functions");
  const classCode = numberIn(part("class"));
  return {
    kind: "pci",
    address,
    ...identified(capability),
    classCode,
    isBridge: more("pci-bridge") !== undefined || more("cardbus-bridge") !== undefined,
    iommuGroup: number === undefined
      ? undefined
      : { number, members: addressesIn(group).filter((each) => each !== address).sort() },
    numaNode: numberIn(child(capability, "numa")?.attributes.node),
    physicalFunction: addressesIn(more("phys_function"))[0],
    virtualFunctions: addressesIn(functions).sort(),
    maxVirtualFunctions: functions &&
      (numberIn(functions.attributes.maxCount) ?? addressesIn(functions).length),
  };
}

function usb(capability: XmlElement): UsbCapability | undefined {
  const bus = numberIn(childText(capability, "bus")), device = numberIn(childText(capability, "device"));
  if (bus === undefined || device === undefined) return undefined;
  return { kind: "usb", bus, device, ...identified(capability) };
}

/** Type of a capability → what is read of it; undefined for what is no whole device of that type. */
const READERS: Readonly<Record<string, (capability: XmlElement) => NodeCapability | undefined>> = {
  pci,
  usb_device: usb,
  usb: (capability) => ({
    kind: "usb-interface",
    code: [
      numberIn(childText(capability, "class")) ?? 0,
      numberIn(childText(capability, "subclass")) ?? 0,
      numberIn(childText(capability, "protocol")) ?? 0,
    ],
  }),
  net: (capability) => ({ kind: "net", name: childText(capability, "interface") ?? "" }),
  storage: (capability) => ({
    kind: "storage",
    block: childText(capability, "block") ?? "",
    model: childText(capability, "model"),
  }),
};

/** Reads a device's XML; undefined for what is neither on PCI nor USB nor tells what such a device does. @throws {XmlError} */
export function readNodeDevice(source: string): NodeDevice | undefined {
  const root = parseXml(source);
  const capability = child(root, "capability"), type = capability?.attributes.type ?? "";
  if (capability === undefined || !Object.hasOwn(READERS, type)) return undefined;
  const read = READERS[type]!(capability);
  return read && {
    name: childText(root, "name") ?? "",
    path: childText(root, "path"),
    parent: childText(root, "parent"),
    driver: childText(child(root, "driver"), "name"),
    capability: read,
  };
}
