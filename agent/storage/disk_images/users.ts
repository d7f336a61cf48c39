/** Which VMs need an image: as their disk, or because their disk is built on it. */
import { ImageRefused } from "./chain.ts";
import { isSystemError } from "../../files.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { isLocal } from "../../libvirt/uri.ts";
import { resolvedPath, resolvedPaths } from "../../resolved_path.ts";
import type { Host } from "../../hosts/host.ts";
import { log } from "../../log.ts";
import { mayBeFile, pathOfDisk } from "../disk_path.ts";
import { backingChain } from "./backing.ts";
import { disksOfBoth } from "./usage.ts";

/** @throws {ContractError} StorageNotResponding: who needs what is not known then, and nothing may go */
async function backing(source: string): Promise<string[]> {
  try {
    return await backingChain(source);
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof ImageRefused)) throw error;
    log.warn("what an image is built on cannot be read", { path: source, error });
    return [];
  }
}

/** Path → name of a VM that needs it, now or at its next start, for those of `paths` that one of `vms` needs. */
export async function imageUsers(
  host: Host,
  paths: readonly string[],
  vms: readonly VM[],
): Promise<Map<string, string>> {
  const { link } = host, { uri } = link, here = isLocal(uri);
  const users = new Map<string, string>();
  const wanted = new Map<string, string[]>();
  if (paths.length === 0) return users;
  for (const path of paths) {
    const real = await resolvedPath(uri, path);
    wanted.set(real, [...wanted.get(real) ?? [], path]);
  }
  for (const vm of vms) {
    for (const disk of await disksOfBoth(host, vm)) {
      const source = await pathOfDisk(link, disk);
      if (source === undefined) continue;
      const needed = here && mayBeFile(disk) && disk.format === "qcow2"
        ? [source, ...await backing(source)]
        : [source];
      for (const real of await resolvedPaths(uri, needed)) {
        for (const path of wanted.get(real) ?? []) users.set(path, vm.name);
      }
    }
  }
  return users;
}
