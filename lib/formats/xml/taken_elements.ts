/** Elements of a configuration that take a device of the host for the VM. Pure. */
import { child, children, type XmlElement } from "./tree.ts";

/** The host's devices in a configuration, as elements. */
export const passedElements = (root: XmlElement | undefined): XmlElement[] =>
  children(child(root, "devices"), "hostdev");

/** Network cards (SR-IOV) and NVMe disks, which name it by its PCI address. */
export function takenByAddress(root: XmlElement): XmlElement[] {
  const devices = child(root, "devices");
  return [
    ...children(devices, "interface").filter(({ attributes }) => attributes.type === "hostdev"),
    ...children(devices, "disk").filter(({ attributes }) => attributes.type === "nvme"),
  ];
}
