/** Which VMs need an image: as their disk or another file of theirs, or because their disk is built on it. */
import { ImageRefused } from "./chain.ts";
import { isSystemError } from "../../files.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { isLocal } from "../../libvirt/uri.ts";
import { resolvedByFolder, resolvedPath, resolvedPaths } from "../../resolved_path.ts";
import type { Host } from "../../hosts/host.ts";
import { log } from "../../log.ts";
import { mayBeFile, pathOfDisk } from "../disk_path.ts";
import { snapshotFiles } from "../snapshot_files.ts";
import { backingChain } from "./backing.ts";
import { filesOfBoth } from "./usage.ts";

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

/**
 * Path → name of a VM that needs it, now or at its next start, for those of `paths` that one of `vms` needs.
 *
 * @param options whether what VMs' snapshots need counts
 */
export async function imageUsers(
  host: Host,
  paths: readonly string[],
  vms: readonly VM[],
  { snapshots = true }: { readonly snapshots?: boolean } = {},
): Promise<Map<string, string>> {
  const { link } = host, { uri } = link, here = isLocal(uri);
  const users = new Map<string, string>();
  const wanted = new Map<string, string[]>();
  if (paths.length === 0) return users;
  for (const path of paths) {
    const real = await resolvedPath(uri, path);
    wanted.set(real, [...wanted.get(real) ?? [], path]);
  }
  const all = await Promise.all(vms.map(async (vm) => ({ vm, files: await filesOfBoth(host, vm) })));
  const kept = snapshots ? await snapshotFiles(link) : undefined;
  const placeAt = await resolvedByFolder(uri, all.flatMap(({ files }) => files.others));
  for (const { vm, files: { disks, others } } of all) {
    for (const path of others.flatMap((other) => wanted.get(placeAt(other)) ?? [])) {
      users.set(path, vm.name);
    }
    const images = kept?.get(vm.id)?.map(({ path: source, format }) => ({ type: "file", source, format }));
    for (const disk of [...disks, ...images ?? []]) {
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
