/** passt: a process that forwards a guest's traffic as the host's own. */
import type { LibvirtLink } from "../libvirt/link.ts";
import { isLocal } from "./local.ts";

/** Where libvirt looks for it. */
const PLACES = ["/usr/bin/passt", "/usr/local/bin/passt", "/bin/passt"];
/** The first libvirt that knows it: 9.0.0. */
const SINCE = 9_000_000;

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Why a card cannot be forwarded by passt; undefined where it can, or where that cannot be told. */
export async function passtMissing(link: LibvirtLink): Promise<string | undefined> {
  const { libvirtVersion } = await link.call("nodeInfo");
  if (libvirtVersion < SINCE) return "libvirt knows it from version 9.0 on";
  if (!isLocal(link.uri)) return undefined;
  for (const path of PLACES) if (await isThere(path)) return undefined;
  return "install the package passt";
}
