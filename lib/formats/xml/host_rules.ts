/** Rules of the host for a VM's cards and disks, enforced whatever runs in it: network filters and limits. Pure. */
import { nodeOf } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Devices with such rules: what a device of a kind is known by, and which of its elements they are. */
const RULES = [
  {
    kind: "interface",
    idOf: (device: XmlElement) => child(device, "mac")?.attributes.address?.toLowerCase(),
    names: ["filterref", "bandwidth"],
  },
  {
    kind: "disk",
    idOf: (device: XmlElement) => child(device, "target")?.attributes.dev,
    names: ["iotune"],
  },
] as const;

/**
 * The XML of a snapshot whose cards and disks have the filters and limits that a definition gives them now: a revert changes
 * what the VM is, not what the host allows it. A device that the definition does not have keeps its own.
 *
 * @returns the same text where nothing differs @throws {XmlError}
 */
export function withHostRules(snapshot: string, definition: string): string {
  const document = new XmlDocument(snapshot), now = parseXml(definition);
  for (const part of ["domain", "inactiveDomain"]) {
    for (const { kind, idOf, names } of RULES) {
      const devices = () => children(child(document.find(part), "devices"), kind);
      for (const index of devices().keys()) {
        const device = () => devices()[index]!, id = idOf(device());
        const has = children(child(now, "devices"), kind).find((each) => idOf(each) === id);
        if (id === undefined || has === undefined) continue;
        for (const name of names) {
          const wanted = child(has, name), old = child(device(), name);
          if (JSON.stringify(wanted && nodeOf(wanted)) === JSON.stringify(old && nodeOf(old))) continue;
          document.setChild(device, name, wanted && nodeOf(wanted));
        }
      }
    }
  }
  return document.toString();
}
