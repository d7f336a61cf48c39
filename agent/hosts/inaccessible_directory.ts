/** Whether QEMU, which runs as a user of its own, can get at a file. libvirt opens the file to it, but no folder. */
import { dirname } from "node:path";
import { pathFault, undefinedIfMissing } from "../machine/files.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { QemuUser } from "../../lib/formats/xml/capabilities.ts";

/** The right to enter a folder: x for its owner, its group, everyone. */
const ENTER = { owner: 0o100, group: 0o010, other: 0o001 };

/**
 * The topmost folder on the way to a file that this user may not enter; undefined when the way is open, or cannot be
 * seen. Rights beyond the mode (ACLs) are not looked at.
 */
export async function closedFolder(path: string, { uid, gid }: QemuUser): Promise<string | undefined> {
  if (uid === 0) return undefined;
  const folders: string[] = [];
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) folders.unshift(at);
  for (const folder of folders) {
    const info = await undefinedIfMissing(hostFiles.stat(folder)).catch((error) => {
      if (pathFault(error) === undefined && !isNotResponding(error)) throw error;
    });
    if (info === undefined || info.mode === null) return undefined;
    const whose = info.uid === uid ? "owner" : info.gid === gid ? "group" : "other";
    if ((info.mode & ENTER[whose]) === 0) return folder;
  }
  return undefined;
}
