/** Taking back what waits for the next boot: the stored XML is made like the live one again, part by part. Pure. */
import {
  type Area,
  BOOT_KINDS,
  type Hardware,
  type HardwareChange,
  type PendingChange,
} from "../../contract/hardware.ts";
import type { XmlNode } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { readHardware } from "./hardware.ts";
import { editHardware } from "./hardware_edit.ts";
import { devicesByKey, type Difference, findDifferences } from "./pending.ts";
import { cleaned } from "./pending_clean.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Devices that are the host's, or folders of it: administrators give them. */
const OF_HOST = /^(filesystem|hostdev) /;

/** Whether discarding changes of these areas gives a VM something of the host back that its next start would not have. */
export const givesOfHost = (changes: readonly PendingChange[], areas: readonly Area[]): boolean =>
  changes.some(({ area, what, live }) => areas.includes(area) && live !== null && OF_HOST.test(what));

type Kind = typeof BOOT_KINDS[number];

/** Change that restores a field's former value; only one of the two kinds of boot order can be there. */
function changeTo(live: Hardware, areas: ReadonlySet<Area>, fields: ReadonlySet<string>): HardwareChange {
  const { cpu, memory, boot, firmware, title, description } = live;
  const has = (...names: string[]) => names.some((name) => fields.has(name));
  return {
    ...(areas.has("cpu") && {
      cpu: {
        ...(has("cpu.count", "cpu.max") && { count: cpu.count, max: cpu.max }),
        ...(has("cpu.mode", "cpu.model") && {
          mode: cpu.mode,
          ...(cpu.model !== null && { model: cpu.model }),
        }),
        ...(has("cpu.topology") && { topology: cpu.topology }),
        ...(has("cpu.pinning") && { pinning: cpu.pinning }),
      },
    }),
    ...(areas.has("memory") && has("memory.currentMb", "memory.maxMb") && { memory }),
    ...(areas.has("boot") && {
      boot: {
        ...(has("boot.devices", "boot.order") &&
          (boot.order.length > 0 ? { order: boot.order } : { devices: boot.devices as Kind[] })),
        ...(has("boot.menu") && { menu: boot.menu }),
      },
    }),
    ...(has("firmware") && { firmware }),
    ...(has("title") && { title }),
    ...(has("description") && { description }),
  };
}

/** Any element as it would be written. */
function nodeOf(element: XmlElement): XmlNode {
  return cleaned(element, undefined, { withPlace: true });
}

/** Makes the parts of a name below `path` what they are in the live XML. */
function restoreParts(doc: XmlDocument, live: XmlElement, path: readonly string[], name: string): void {
  let from: XmlElement | undefined = live;
  for (const each of path) from = child(from, each);
  doc.removeAll(...path, name);
  const parent = () => doc.find(...path)!;
  for (const element of children(from, name)) {
    // Namespaces of other programs are declared at the root, which may have lost them with their last part.
    const declared = `xmlns:${name.split(":")[0]}`;
    const uri = live.attributes[declared];
    if (name.includes(":") && uri !== undefined && doc.root.attributes[declared] === undefined) {
      doc.setAttribute(doc.root, declared, uri);
    }
    doc.append(parent(), nodeOf(element));
  }
}

/** Makes one device what it is in the live XML: adds it, changes it, or removes it. */
function restoreDevice(doc: XmlDocument, live: XmlElement, name: string, key: string): void {
  const there = devicesByKey(doc.root).get(`${name} ${key}`)?.element;
  const wanted = devicesByKey(live).get(`${name} ${key}`)?.element;
  if (!wanted) {
    if (there) doc.remove(there);
    return;
  }
  const asLive = cleaned(wanted, there, { withPlace: true });
  // A screen's password for the next start stays: the running one may have none, or ends with the run.
  const passwd = there?.attributes.passwd;
  const node = passwd === undefined ? asLive : { ...asLive, attributes: { ...asLive.attributes, passwd } };
  if (there) doc.replace(there, node);
  else doc.append(doc.find("devices")!, node);
}

/** Devices last to first: removing one that only its number tells apart must not change the numbers of the others. */
const fromTheEnd = (a: Difference, b: Difference) =>
  Number(b.undo.by === "device" ? b.undo.key : 0) - Number(a.undo.by === "device" ? a.undo.key : 0) || 0;

/**
 * The stored XML with what waits in these areas taken back.
 *
 * @param live with its secrets, as the stored one: what is put back must be whole
 * @param hostCpus the host's number of CPUs, where it is known
 * @throws {XmlError}
 */
export function discardPending(
  live: string,
  next: string,
  areas: readonly Area[],
  hostCpus?: number,
): string {
  const wanted = new Set(areas);
  const differences = findDifferences(live, next, hostCpus).filter(({ area }) => wanted.has(area));
  const root = parseXml(live);
  const doc = new XmlDocument(next);
  for (const { undo } of [...differences].sort(fromTheEnd)) {
    if (undo.by === "device") restoreDevice(doc, root, undo.name, undo.key);
    if (undo.by === "part") restoreParts(doc, root, undo.path, undo.name);
  }
  const fields = new Set(differences.map(({ undo }) => undo.by === "field" ? undo.field : ""));
  return editHardware(doc.toString(), changeTo(readHardware(root, hostCpus), wanted, fields));
}
