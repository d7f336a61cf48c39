/** A VM's serial line, as its XML has it. */
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Whether a serial console can be opened: there is none, it leads elsewhere (a file, a TCP port), or it is there. */
export type SerialLine = "none" | "elsewhere" | "ready";

/** Ends that libvirt's streams reach. */
const REACHABLE = new Set(["pty", "unix"]);

/** The line that libvirt opens when none is named: the first console, else the first serial port. */
function firstLine(devices: XmlElement | undefined): XmlElement | undefined {
  return children(devices, "console")[0] ?? children(devices, "serial")[0];
}

/** Reads it from a domain's XML. @throws {XmlError} */
export function serialLine(xml: string): SerialLine {
  const line = firstLine(child(parseXml(xml), "devices"));
  if (line === undefined) return "none";
  return REACHABLE.has(line.attributes.type ?? "") ? "ready" : "elsewhere";
}
