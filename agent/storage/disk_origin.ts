/**
 * Identity of a disk's image: another image at the same place, or the same image at another place, is not the
 * same.
 */
import type { Disk } from "../../lib/contract/mod.ts";
import { statFile } from "../machine/host_file.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { pathOfDisk } from "./disk_path.ts";

/** Path and identity of a disk's image; undefined if the disk cannot be looked at. */
export interface DiskOrigin {
  readonly path: string;
  readonly image: string | undefined;
}

/** Identity of the image at a place. */
export async function imageOf(
  { type, source = "" }: Pick<Disk, "type" | "source">,
): Promise<string | undefined> {
  if (type !== "file") return `${type} ${source}`;
  try {
    return `file ${(await statFile(source)).ino ?? 0} ${source}`;
  } catch (error) {
    log.debug("an image cannot be looked at", { path: source, error });
    return undefined;
  }
}

/**
 * Origin of a disk that is given by a path or by its volume; undefined if nothing is there.
 *
 * @throws {LibvirtError}
 */
export async function originOf(
  { link }: Pick<LibvirtHost, "link">,
  disk: Pick<Disk, "type" | "source">,
): Promise<DiskOrigin | undefined> {
  const path = await pathOfDisk(link, disk);
  if (path === undefined) return undefined;
  const isFile = link.machine !== null && path.startsWith("/") && !path.startsWith("/dev/");
  return { path, image: await imageOf({ type: isFile ? "file" : disk.type, source: path }) };
}
