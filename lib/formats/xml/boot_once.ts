/**
 * A domain's XML with another boot order for one start. It is given to virDomainCreateXML, which starts a stored domain
 * with it and keeps the stored definition as it is. Pure.
 */
import type { BootFrom } from "../../contract/vm.ts";
import { xml } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { type BootCandidate, bootCandidates } from "./hardware.ts";
import { editHardware } from "./hardware_edit.ts";
import { ONCE_PREFIX, ONCE_URI } from "./metadata.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Milliseconds the firmware waits for a key that opens its menu: time enough to open the console. */
export const MENU_MS = 30_000;

/** Parts of `<os>` that are booted whatever the order says. */
export const DIRECT_BOOT = ["kernel", "initrd", "cmdline", "shim"] as const;

const MARK = `${ONCE_PREFIX}:boot`;

const deviceOf = ({ element }: BootCandidate) => element.attributes.device ?? "disk";
const isDisk = ({ element }: BootCandidate) => element.name === "disk";

/** Choice → the devices that are meant. A drive without a medium is passed over. */
const MEANT: Readonly<Record<Exclude<BootFrom, "menu">, (device: BootCandidate) => boolean>> = {
  disk: (device) => isDisk(device) && ["disk", "lun"].includes(deviceOf(device)),
  cdrom: (device) =>
    isDisk(device) && deviceOf(device) === "cdrom" && child(device.element, "source") !== undefined,
  network: ({ element }) => element.name === "interface",
};

/** libvirt's kinds of devices (`<boot dev=…>`) → the devices that they mean. */
const KINDS: Readonly<Record<string, (device: BootCandidate) => boolean>> = {
  hd: MEANT.disk,
  cdrom: (device) => isDisk(device) && deviceOf(device) === "cdrom",
  fd: (device) => isDisk(device) && deviceOf(device) === "floppy",
  network: MEANT.network,
};

/** The devices in the order they are tried, in whichever of the two forms it is given. */
function orderOf(domain: XmlElement): BootCandidate[] {
  const devices = bootCandidates(domain);
  const ordered = devices.filter(({ order }) => order !== undefined).sort((a, b) => a.order! - b.order!);
  if (ordered.length > 0) return ordered;
  // libvirt gives a kind to the first device of it.
  return children(child(domain, "os"), "boot").flatMap(({ attributes: { dev = "" } }) => {
    const first = Object.hasOwn(KINDS, dev) ? devices.find(KINDS[dev]!) : undefined;
    return first === undefined ? [] : [first];
  });
}

/** Ids of the devices to try: those that are meant, then the others as they were. */
function orderFrom(domain: XmlElement, from: Exclude<BootFrom, "menu">): string[] {
  const before = orderOf(domain);
  const placeOf = ({ id }: BootCandidate) => {
    const place = before.findIndex((each) => each.id === id);
    return place < 0 ? before.length : place;
  };
  const meant = bootCandidates(domain).filter(MEANT[from]).sort((a, b) => placeOf(a) - placeOf(b));
  return [...new Set([...meant, ...before].map(({ id }) => id))];
}

/**
 * The XML for a start from there. A kernel that is booted directly is left out: it would go first.
 *
 * @param source secure XML of the next start @throws {XmlError}
 */
export function bootOnceXml(source: string, from: BootFrom): string {
  const whole = new XmlDocument(source);
  const edited = editHardware(source, {
    boot: from === "menu" ? { menu: true } : { order: orderFrom(whole.root, from) },
  });
  const document = new XmlDocument(edited);
  for (const name of DIRECT_BOOT) document.removeAll("os", name);
  if (from === "menu") document.setAttribute(document.find("os", "bootmenu")!, "timeout", String(MENU_MS));
  if (!document.find("metadata")) document.append(document.root, xml("metadata", {}));
  // The definition of an earlier run may have been stored by hand.
  document.removeAll("metadata", MARK);
  document.append(document.find("metadata")!, xml(MARK, { [`xmlns:${ONCE_PREFIX}`]: ONCE_URI, from }));
  return document.toString();
}

/** Whether a running domain was started with a boot order of this start alone. */
export function isBootedOnce(live: XmlElement): boolean {
  return child(child(live, "metadata"), MARK) !== undefined;
}
