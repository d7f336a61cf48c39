/** Storage pools by the files of libvirt's system driver. */
import { messageOf } from "../../lib/text/message.ts";
import { isSystemError, namesIn } from "../machine/files.ts";
import { log } from "../log.ts";

/** Definitions of pools, and those that run without one. */
const FOLDERS = ["/etc/libvirt/storage", "/run/libvirt/storage"];

/** Names of all pools; undefined where the files may not be read. */
export async function poolNamesInFiles(): Promise<readonly string[] | undefined> {
  try {
    const files = await Promise.all(FOLDERS.map(namesIn));
    return [
      ...new Set(
        files.flat().flatMap((name) => name.endsWith(".xml") ? [name.slice(0, -".xml".length)] : []),
      ),
    ];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.info("libvirt's files of pools cannot be read", { error: messageOf(error) });
    return undefined;
  }
}
