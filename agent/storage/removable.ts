/** Whether files of this host can be removed: looked at before the first of several goes, for what is gone is gone. */
import { isSystemError, undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { splitPath } from "../../lib/bin/place.ts";
import { filesBelow } from "./folder_content.ts";
import { isReadOnly, isReadOnlyHere } from "./mounts.ts";

/** Opened, not written to: tells a read-only file system and an immutable file. */
async function whyUnwritable({ files }: LocalMachine, path: string): Promise<string | undefined> {
  try {
    const file = await files.open(plainPath(path), { write: true });
    file.close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (!isSystemError(error) && !isNotResponding(error)) throw error;
    // In the service's sandbox libvirt may remove what this process may not write
    const { folder } = splitPath(path);
    return await isReadOnlyHere(folder) && !await isReadOnly(folder) ? undefined : error.message;
  }
}

/**
 * Why what is at a path cannot be removed; undefined where it can, and where nothing is there.
 *
 * @param isWhole whether a folder goes with what is in it; libvirt removes none that has something
 * @throws {ContractError} StorageUnknown for a folder with too much in it
 */
export async function whyUnremovable(
  machine: LocalMachine,
  path: string,
  isWhole: boolean,
): Promise<string | undefined> {
  const info = await undefinedIfMissing(machine.files.lstat(plainPath(path)));
  if (info === undefined || info.isSymlink) return undefined;
  if (info.isFile) return await whyUnwritable(machine, path);
  if (!info.isDirectory) return undefined;
  if (!isWhole) {
    const [first] = await machine.files.readDir(plainPath(path));
    return first && `the folder is not empty: it has ${first.name}. Empty it on the host first`;
  }
  for (const { path: inside } of await filesBelow(path)) {
    const reason = await whyUnwritable(machine, inside);
    if (reason !== undefined) return reason;
  }
}
