/** Which machines need an image: as their disk, or because their disk is built on it. */
import type { VM } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";
import { backingChain } from "./backing.ts";

async function backing(source: string): Promise<string[]> {
  try {
    return await backingChain(source);
  } catch (error) {
    log.warn("what an image is built on cannot be read", { path: source, error });
    return [];
  }
}

/** Path → name of a machine that needs it, for those of `paths` that one of `vms` needs. */
export async function imageUsers(paths: readonly string[], vms: readonly VM[]): Promise<Map<string, string>> {
  const users = new Map<string, string>();
  for (const { name, disks } of vms) {
    for (const { source, type, format } of disks) {
      if (source === undefined) continue;
      const needed = type === "file" && format === "qcow2" ? [source, ...await backing(source)] : [source];
      for (const path of needed) if (paths.includes(path)) users.set(path, name);
    }
  }
  return users;
}
