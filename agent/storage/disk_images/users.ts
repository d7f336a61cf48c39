/** VMs that need an image: as their disk or another file of theirs, or because their disk is built on it. */
import { dirname } from "node:path";
import { ImageRefused } from "./chain.ts";
import { isSystemError } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { isDefined } from "../../libvirt/definitions.ts";
import { resolvedByFolder, resolvedPath, resolvedPaths } from "../../machine/resolved_path.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { mayBeFile, pathOfDisk } from "../disk_path.ts";
import { snapshotFiles } from "../snapshot_files.ts";
import type { PoolVolume } from "../volumes.ts";
import { wholeChain } from "./backing.ts";
import { filesOfBoth } from "./usage.ts";

/** Paths of an image's backing chain, and the first of them that cannot be read. */
export interface KnownChain {
  readonly paths: readonly string[];
  readonly unread?: string;
}

/** Why nothing that it may be built on can go. */
export const unreadText = (path: string, vm: string): string =>
  `the disk image ${path} of ${vm} cannot be read, so what it is built on is not known: ` +
  "bring it back, or detach it from that VM";

/**
 * The backing chain of an image, by its head; if that may not be read (an NFS export with root_squash), as
 * its pool reports it.
 *
 * @throws {ContractError} StorageNotResponding: the users are unknown then, and nothing may be deleted
 */
export async function knownChain({ storage }: LibvirtHost["inventory"], path: string): Promise<KnownChain> {
  try {
    const { images, missing } = await wholeChain(path), paths = images.map((image) => image.path);
    return missing === undefined || await isDeleted(missing) ? { paths } : { paths, unread: missing };
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof ImageRefused)) throw error;
    log.warn("what an image is built on cannot be read", { path, error });
    // A head that says what cannot be is never opened for a guest
    if (error instanceof ImageRefused) return { paths: [] };
    const paths = chainInPools(storage.known(), path);
    return paths === undefined ? { paths: [], unread: path } : { paths };
  }
}

/** Whether a file that is not there will not come back: its folder has others, so that its file system is not away. */
async function isDeleted(path: string): Promise<boolean> {
  try {
    return (await hostFiles.readDir(dirname(path))).length > 0;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.debug("the folder of an image that is not there cannot be read", { path, error });
    return false;
  }
}

/**
 * Backing chain of a volume by the records of pools, nearest first; undefined if no pool that was read has
 * the volume. Pure.
 */
export function chainInPools(volumes: readonly PoolVolume[], path: string): string[] | undefined {
  const byPath = new Map(volumes.map((volume) => [volume.path, volume])), paths: string[] = [];
  if (!byPath.has(path)) return undefined;
  for (let at = byPath.get(path)?.backing?.path; at !== undefined && !paths.includes(at);) {
    paths.push(at);
    at = byPath.get(at)?.backing?.path;
  }
  return paths;
}

/**
 * Path → name of a VM that needs it, now or at its next start, for those of `paths` that one of `vms` needs.
 *
 * @param options whether what VMs' snapshots need counts; `unread` is told of each image that cannot be read and of which no
 * definition says what it is built on
 */
export async function imageUsers(
  host: LibvirtHost,
  paths: readonly string[],
  vms: readonly VM[],
  { snapshots = true, unread }: {
    readonly snapshots?: boolean;
    readonly unread?: (path: string, vm: VM) => void;
  } = {},
): Promise<Map<string, string>> {
  const { link } = host, { machine } = host, here = machine !== null;
  const users = new Map<string, string>();
  const wanted = new Map<string, string[]>();
  if (paths.length === 0) return users;
  for (const path of paths) {
    const real = await resolvedPath(machine, path);
    wanted.set(real, [...wanted.get(real) ?? [], path]);
  }
  const all = await Promise.all(vms.map(async (vm) => ({ vm, files: await filesOfBoth(host, vm) })));
  const kept = snapshots ? await snapshotFiles(link) : undefined;
  const placeAt = await resolvedByFolder(machine, all.flatMap(({ files }) => files.others));
  for (const { vm, files: { disks, others } } of all) {
    for (const path of others.flatMap((other) => wanted.get(placeAt(other)) ?? [])) {
      users.set(path, vm.name);
    }
    const chains = host.inventory.record(vm.id)?.summary.chains ?? [];
    const images = kept?.get(vm.id)?.map(({ path: source, format }) => ({
      target: "",
      type: "file",
      source,
      format,
    }));
    for (const disk of [...disks, ...images ?? []]) {
      const source = await pathOfDisk(link, disk);
      if (source === undefined) continue;
      const declared = chains.find(({ target }) => target === disk.target);
      const isRead = here && mayBeFile(disk) && disk.format === "qcow2";
      const chain = isRead ? await knownChain(host.inventory, source) : { paths: [] };
      if (chain.unread !== undefined && disk.target !== "" && !declared?.isComplete) {
        // It may be deleted with its VM since that was read
        if (unread !== undefined && await isDefined(link, vm.id)) unread(chain.unread, vm);
      }
      for (const real of await resolvedPaths(machine, [source, ...declared?.bases ?? [], ...chain.paths])) {
        for (const path of wanted.get(real) ?? []) users.set(path, vm.name);
      }
    }
  }
  return users;
}
