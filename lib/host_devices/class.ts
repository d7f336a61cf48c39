/**
 * Classes of devices, by the numbers of the PCI and USB specifications. Sources: pci.ids, usb.org's class codes. Pure.
 */
import type { HostDeviceClass } from "../contract/mod.ts";
import type { PciCapability, UsbInterfaceCapability } from "../formats/xml/node_device.ts";

/** Base class and subclass → what it is; tried before {@link PCI_BASES}. */
const PCI_CLASSES: Readonly<Record<number, HostDeviceClass>> = {
  0x0280: "wireless",
  0x0400: "video",
  0x0401: "sound",
  0x0403: "sound",
  0x0c03: "usb-controller",
  0x0d11: "bluetooth",
};
/** Base class → what it is. */
const PCI_BASES: Readonly<Record<number, HostDeviceClass>> = {
  0x01: "storage",
  0x02: "network",
  0x03: "gpu",
  0x04: "video",
  0x05: "memory",
  0x06: "bridge",
  0x07: "serial",
  0x09: "input",
  0x0d: "wireless",
  0x10: "encryption",
  0x12: "accelerator",
};

/** Class of a PCI device. */
export function pciClass(
  { classCode, isBridge }: Pick<PciCapability, "classCode" | "isBridge">,
): HostDeviceClass {
  if (isBridge) return "bridge";
  if (classCode === undefined) return "other";
  return PCI_CLASSES[classCode >> 8] ?? PCI_BASES[classCode >> 16] ?? "other";
}

/** USB class → what it is; the first of a device's interfaces that has one counts. */
const USB_CLASSES: Readonly<Record<number, HostDeviceClass>> = {
  0x01: "sound",
  0x03: "input",
  0x06: "camera",
  0x07: "printer",
  0x08: "storage",
  0x09: "hub",
  0x0b: "smart-card",
  0x0e: "camera",
  0xe0: "wireless",
};
/** Communication devices by subclass: Ethernet, NCM, mobile broadband, modems and serial lines. */
const USB_COMMUNICATION: Readonly<Record<number, HostDeviceClass>> = {
  0x02: "serial",
  0x06: "network",
  0x0d: "network",
  0x0e: "network",
};

function usbInterfaceClass(
  [base, sub, protocol]: UsbInterfaceCapability["code"],
): HostDeviceClass | undefined {
  if (base === 0x02) return USB_COMMUNICATION[sub];
  if (base === 0xe0 && sub === 0x01 && protocol === 0x01) return "bluetooth";
  return USB_CLASSES[base];
}

/** Class of a USB device, by its interfaces. */
export function usbClass(interfaces: readonly UsbInterfaceCapability["code"][]): HostDeviceClass {
  for (const code of interfaces) {
    const found = usbInterfaceClass(code);
    if (found !== undefined) return found;
  }
  return "other";
}
