/**
 * A folder of the host that a guest mounts, as libvirt's domain format writes it, and the shared memory it takes.
 * Source: "Filesystems" and "Memory Backing" in libvirt's domain format.
 */
import type { SHARE_DRIVERS } from "../../contract/choices.ts";
import { xml, type XmlNode } from "./build.ts";
import type { XmlDocument } from "./edit.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Drivers of a shared folder: virtiofsd as root of the host, or QEMU itself (9p). */
export type ShareDriver = typeof SHARE_DRIVERS[number];

/** A shared folder to be written. */
export interface ShareSpec {
  readonly folder: string;
  /** Tag that the guest mounts it by. */
  readonly tag: string;
  readonly driver: ShareDriver;
  readonly readOnly: boolean;
}

/** A shared folder's element. */
export function shareXml({ folder, tag, driver, readOnly }: ShareSpec): XmlNode {
  return xml(
    "filesystem",
    { type: "mount", accessmode: "passthrough" },
    driver === "virtiofs" && xml("driver", { type: "virtiofs" }),
    xml("source", { dir: folder }),
    xml("target", { dir: tag }),
    readOnly && xml("readonly"),
  );
}

/** The shared folder with this tag. */
export const shareWithTag = (document: XmlDocument | undefined, tag: string): XmlElement | undefined =>
  children(document?.find("devices"), "filesystem").find((each) =>
    child(each, "target")?.attributes.dir === tag
  );

/** Whether other processes, such as virtiofsd, can be given a VM's memory. */
export function hasSharedMemory(document: XmlDocument): boolean {
  if (document.find("memoryBacking", "access")?.attributes.mode === "shared") return true;
  const cells = children(document.find("cpu", "numa"), "cell");
  return cells.length > 0 && cells.every(({ attributes }) => attributes.memAccess === "shared");
}

/** Has a VM's memory be such that virtiofsd can be given it. @returns whether it was not */
export function shareMemory(document: XmlDocument): boolean {
  if (hasSharedMemory(document)) return false;
  if (document.find("memoryBacking") === undefined) {
    const before = ["currentMemory", "memory"].map((name) => document.find(name))
      .find((each) => each !== undefined);
    if (before) document.insertAfter(before, xml("memoryBacking"));
    else document.append(document.root, xml("memoryBacking"));
  }
  const backing = () => document.find("memoryBacking")!;
  const access = child(backing(), "access");
  if (access) document.setAttribute(access, "mode", "shared");
  else document.append(backing(), xml("access", { mode: "shared" }));
  // Huge pages and files are shared as they are; anonymous memory cannot be.
  const source = child(backing(), "source");
  if (source?.attributes.type === "anonymous") document.setAttribute(source, "type", "memfd");
  else if (source === undefined && child(backing(), "hugepages") === undefined) {
    document.append(backing(), xml("source", { type: "memfd" }));
  }
  return true;
}
