/** VMs that have an image already: two VMs that write to one image destroy it. */
import { userName } from "../../../lib/i18n/message.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ImageRefused } from "./chain.ts";
import { isSystemError } from "../../machine/files.ts";
import { isNotResponding } from "../../machine/mount_gate.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { type DiskDevice, disksOf } from "../../../lib/formats/xml/device_diff.ts";
import { namedPaths } from "../../../lib/formats/xml/named_paths.ts";
import { parseXml } from "../../../lib/formats/xml/tree.ts";
import { resolvedByFolder, resolvedPath, resolvedPaths } from "../../machine/resolved_path.ts";
import { log } from "../../log.ts";
import { diskFormat } from "../format_records.ts";
import { mayBeFile, pathOfDisk } from "../disk_path.ts";
import { backingChain } from "./backing.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { readPoolsSoon } from "../overlays.ts";
import type { PoolVolume } from "../volumes.ts";
import { savedDevices } from "../saved_devices.ts";

/** One VM's use of an image. */
export interface Use {
  readonly vmId: string;
  readonly name: string;
  /** The disk; the path, where it is none. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly shareable: boolean;
  /** The format the VM has it in; undefined where its disk is built on it, and where it is no disk. */
  readonly format: string | undefined;
}

type AnyDisk = Pick<DiskDevice, "target" | "type" | "source" | "format" | "readOnly" | "shareable">;

/** How an image is used by VMs: as their disk, or because their disk is built on it. */
export async function usesOf(host: LibvirtHost, path: string): Promise<Use[]> {
  return await collectUses(host, path, (vm, disk, own, real) => isBuiltOn(host, vm, disk, own, real));
}

/** The VMs that have an image as their own disk or medium, now or at their next start. */
export async function directUses(host: LibvirtHost, path: string): Promise<Use[]> {
  return await collectUses(host, path, () => Promise.resolve(false));
}

async function collectUses(
  host: LibvirtHost,
  path: string,
  isBase: (vm: VM, disk: AnyDisk, own: string | undefined, real: string) => Promise<boolean>,
): Promise<Use[]> {
  const found: Use[] = [];
  const { machine } = host;
  if (machine === null) await readPoolsSoon(host);
  const real = await resolvedPath(machine, path);
  const vms = await Promise.all(
    host.inventory.everyVm().map(async (vm) => ({
      vm,
      files: await filesOfBoth(host, vm),
    })),
  );
  const placeAt = await resolvedByFolder(machine, vms.flatMap(({ files }) => files.others));
  for (const { vm, files: { disks, others } } of vms) {
    const seen = new Set<string>(), other = others.find((each) => placeAt(each) === real);
    if (other !== undefined) {
      const use = { vmId: vm.id, name: vm.name, target: other };
      found.push({ ...use, readOnly: true, shareable: false, format: undefined });
    }
    for (const disk of disks) {
      const key = `${disk.target} ${disk.source} ${disk.format}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const use = { vmId: vm.id, name: vm.name, target: disk.target };
      const own = await pathOfDisk(host.link, disk);
      if (own !== undefined && await resolvedPath(machine, own) === real) {
        const { readOnly, shareable } = disk;
        found.push({ ...use, readOnly, shareable, format: diskFormat(disk) });
      } else if (await isBase(vm, disk, own, real)) {
        found.push({ ...use, readOnly: true, shareable: false, format: undefined });
      }
    }
  }
  return found;
}

/** Files of a VM: now, after its next start, and those that its saved memory resumes with. */
export interface Files {
  readonly disks: readonly AnyDisk[];
  /** Paths of what is no disk: kernel, firmware, ROM, a serial line's file. */
  readonly others: readonly string[];
}

/** @throws {LibvirtError} */
export async function filesOfBoth(host: LibvirtHost, vm: VM): Promise<Files> {
  const { link, inventory } = host, saved = await savedDevices(host, vm);
  const now: Files = {
    disks: [...vm.disks, ...saved?.disks ?? []].map((disk) => ({
      ...disk,
      source: disk.source,
      format: disk.format,
    })),
    others: [...inventory.record(vm.id)?.summary.otherPaths ?? [], ...saved?.otherPaths ?? []],
  };
  if (!vm.persistent || !inventory.active().includes(vm.id)) return now;
  try {
    const next = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
    return {
      disks: [...now.disks, ...disksOf(next)],
      others: [...new Set([...now.others, ...namedPaths(parseXml(next), { disks: false })])],
    };
  } catch (error) {
    // It has been undefined since: it will have none
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return now;
    throw error;
  }
}

/** Paths of what an image is built on, as the pools that were read tell it. */
function basesInPools(volumes: readonly PoolVolume[], path: string): Set<string> {
  const below = new Map(volumes.map((volume) => [volume.path, volume.backing?.path]));
  const found = new Set<string>();
  for (let at = below.get(path); at !== undefined && !found.has(at); at = below.get(at)) found.add(at);
  return found;
}

/**
 * Whether a disk of the VM is built on an image.
 *
 * @param own path of the disk
 */
async function isBuiltOn(
  { link, inventory }: LibvirtHost,
  { id }: VM,
  disk: AnyDisk,
  own: string | undefined,
  real: string,
): Promise<boolean> {
  if (!mayBeFile(disk) || disk.format !== "qcow2" || own === undefined) return false;
  // What the definition says counts, be the image to be seen or not
  const declared = inventory.record(id)?.summary.chains.find(({ target }) => target === disk.target)?.bases;
  if ((await resolvedPaths(link.machine, declared ?? [])).includes(real)) return true;
  // The heads of another machine's images are read where one is chosen; libvirt's pools tell the chains of the others
  if (link.machine === null) return basesInPools(inventory.storage.known(), own).has(real);
  try {
    return (await resolvedPaths(link.machine, await backingChain(own))).includes(real);
  } catch (error) {
    const isUnknown = isSystemError(error) || error instanceof ImageRefused || isNotResponding(error);
    if (!isUnknown) throw error;
    log.warn("what an image is built on cannot be read", { path: own, error });
    return false;
  }
}

/** Whether two uses of an image leave it whole. */
function agree(
  a: Pick<Use, "readOnly" | "shareable">,
  b: Pick<Use, "readOnly" | "shareable">,
): boolean {
  return (a.readOnly && b.readOnly) || (a.shareable && b.shareable);
}

/**
 * Refuses an image that somebody uses in a way that does not agree with the new one.
 *
 * @param own the use that is about to change: it does not count
 * @throws {ContractError} DiskInUse
 */
export function refuseUsedImage(
  uses: readonly Use[],
  path: string,
  wanted: { readonly readOnly: boolean; readonly shareable: boolean },
  own?: { readonly vmId: string; readonly target: string },
): void {
  for (const use of uses) {
    if (own !== undefined && use.vmId === own.vmId && use.target === own.target) continue;
    if (!agree(use, wanted)) throw new ContractError("DiskInUse", { vm: userName(use), path });
  }
}
