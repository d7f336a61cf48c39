/** Calls on the devices of the host. */
import { type Connection, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, takeString } from "../library.ts";

/** Bits of `virConnectListAllNodeDeviceFlags`: what can be passed on, and what tells what a device is good for. */
const CAP = { PCI: 1 << 1, USB: 1 << 2, USB_INTERFACE: 1 << 3, NET: 1 << 4, STORAGE: 1 << 8 } as const;
const LISTED = CAP.PCI | CAP.USB | CAP.USB_INTERFACE | CAP.NET | CAP.STORAGE;

/** The XML of a device; null for one that was unplugged since it was listed. */
function xmlOf(device: Deno.PointerObject): string | null {
  try {
    return takeString(libvirt().symbols.virNodeDeviceGetXMLDesc(device, 0));
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_NODE_DEVICE) return null;
    throw error;
  }
}

/**
 * The XML of each PCI and USB device of the host, of the interfaces of its USB devices, and of its network devices and
 * disks. Source: virConnectListAllNodeDevices, virNodeDeviceGetXMLDesc.
 */
export function nodeDevices(connection: Connection): string[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) =>
    symbols.virConnectListAllNodeDevices(connection.pointer, out, LISTED)
  );
  return readList(array, items, (item) => symbols.virNodeDeviceFree(item), xmlOf);
}
