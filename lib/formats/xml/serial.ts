/** A VM's serial lines, as its XML has them. */
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Whether a serial console can be opened: there is none, it leads elsewhere (a file, a TCP port), or it is there. */
export type SerialLine = "none" | "elsewhere" | "ready";

/** A line that a guest talks on. */
export interface LineDevice {
  /** libvirt's name for it while the VM runs: `serial0`. */
  readonly alias: string | undefined;
  /** Whether libvirt's streams reach its other end; false where it leads to a file or a port. */
  readonly isReachable: boolean;
}

/** Ends that libvirt's streams reach. */
const REACHABLE = new Set(["pty", "unix"]);

const lineOf = (element: XmlElement): LineDevice => ({
  alias: child(element, "alias")?.attributes.name,
  isReachable: REACHABLE.has(element.attributes.type ?? ""),
});

/**
 * The lines of a domain in their order: its serial ports, then consoles that are none of them (virtio). libvirt shows the
 * first serial port as a console once more.
 *
 * @throws {XmlError}
 */
export function serialLines(xml: string): LineDevice[] {
  const devices = child(parseXml(xml), "devices");
  const ports = children(devices, "serial"), consoles = children(devices, "console");
  const own = consoles.filter((each) => (child(each, "target")?.attributes.type ?? "serial") !== "serial");
  return [...ports, ...ports.length === 0 ? consoles : own].map(lineOf);
}

/**
 * The line that is opened.
 *
 * @param wanted its number, from 0; the first that can be reached when left out
 * @returns `none` where there is none, or not so many; `elsewhere` where it leads to a file or a port
 */
export function chosenLine(
  lines: readonly LineDevice[],
  wanted: number | undefined,
): LineDevice | Exclude<SerialLine, "ready"> {
  const line = wanted === undefined
    ? lines.find(({ isReachable }) => isReachable) ?? lines[0]
    : lines[wanted];
  if (line === undefined) return "none";
  return line.isReachable ? line : "elsewhere";
}

/** Whether the line that is wanted can be opened. */
export function lineState(lines: readonly LineDevice[], wanted: number | undefined): SerialLine {
  const line = chosenLine(lines, wanted);
  return typeof line === "string" ? line : "ready";
}
