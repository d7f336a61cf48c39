/**
 * Files and sockets of the host that a domain has for itself: libvirt and QEMU make, write and delete them. Disks, shared
 * folders, and what is only read – kernels, firmware, ROMs – are none. Pure.
 */
import type { XmlDocument } from "./edit.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Devices whose files are judged apart: images, and folders that many may share. */
const APART: ReadonlySet<string> = new Set(["disk", "filesystem", "hostdev", "emulator"]);
/** Attributes of a device's parts that name such a file. */
const ATTRIBUTES = ["path", "file", "socket", "logFile"] as const;
/** Parts that are only read. */
const READ: ReadonlySet<string> = new Set(["rom"]);

/**
 * Paths of sockets that libvirt generates for a channel when the domain starts. It removes such a path from a
 * definition.
 */
const GENERATED = /^\/(var\/lib|(var\/)?run)\/libvirt\/qemu\/channel\/(target\/)?(domain-)?\d+-[^/]+\/[^/]+$/;

const isGenerated = (device: XmlElement, path: string): boolean =>
  device.name === "channel" && child(device, "target")?.attributes.type === "virtio" && GENERATED.test(path);

/** Takes the sockets out that libvirt chose for a run: a copy of what runs gets its own. */
export function dropGeneratedSockets(document: XmlDocument): void {
  const next = () =>
    children(document.find("devices"), "channel").flatMap((channel) => {
      const source = child(channel, "source"), path = source?.attributes.path;
      return source !== undefined && path !== undefined && isGenerated(channel, path) ? [source] : [];
    })[0];
  for (let found = next(); found !== undefined; found = next()) document.remove(found);
}

function filesOf({ name, attributes, text, children: parts }: XmlElement): string[] {
  if (READ.has(name)) return [];
  const said = ATTRIBUTES.flatMap((each) => attributes[each] ?? []);
  // The file of a memory device is the text of a part
  if (name === "path") said.push(text.trim());
  return [...said, ...parts.flatMap(filesOf)];
}

/** Their paths, each once. */
export function writtenFiles(domain: XmlElement): string[] {
  const nvram = child(child(domain, "os"), "nvram");
  const variables = [nvram?.text.trim(), child(nvram, "source")?.attributes.file];
  const devices = child(domain, "devices")?.children.filter(({ name }) => !APART.has(name)) ?? [];
  const files = devices.flatMap((device) => filesOf(device).filter((path) => !isGenerated(device, path)));
  return [...new Set([...variables, ...files])].filter((path) => path?.startsWith("/") === true) as string[];
}
