/** The device of a configuration that an element is about, as libvirt tells devices apart. Pure. */
import type { XmlDocument } from "./edit.ts";
import { devicePlace } from "./hardware.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

const attribute = (element: XmlElement | undefined, name: string) => element?.attributes[name] ?? "";

/** A host's device is its address, whatever else its element says. */
const sourceKey = (device: XmlElement) =>
  JSON.stringify(
    children(child(device, "source"), "address").concat(children(child(device, "source"), "vendor"))
      .concat(children(child(device, "source"), "product"))
      .map(({ attributes }) => Object.entries(attributes).sort()),
  );

/** Element → what tells one from the others of its kind. */
const KEYS: Readonly<Record<string, (device: XmlElement) => string>> = {
  disk: (device) => attribute(child(device, "target"), "dev"),
  interface: (device) => attribute(child(device, "mac"), "address").toLowerCase(),
  filesystem: (device) => attribute(child(device, "target"), "dir"),
  controller: (device) => `${attribute(device, "type")} ${device.attributes.index ?? "0"}`,
  hostdev: sourceKey,
};

/**
 * The device with the same target, address or tag; of several with one MAC address the one in its place.
 *
 * @throws {TypeError} for a kind of device that is not known here
 */
export function sameDevice(document: XmlDocument, xml: string): XmlElement | undefined {
  const device = parseXml(xml), keyOf = KEYS[device.name];
  if (keyOf === undefined) throw new TypeError(`devices of the kind ${device.name} are not told apart`);
  const found = children(document.find("devices"), device.name).filter((each) =>
    keyOf(each) === keyOf(device)
  );
  return found.length < 2 ? found[0] : found.find((each) => devicePlace(each) === devicePlace(device));
}
