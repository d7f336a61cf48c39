/** Who has an image already: two machines that write to one image destroy it. */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { type DiskDevice, disksOf } from "../../../lib/xml/device_diff.ts";
import { escapeXml } from "../../../lib/xml/tree.ts";
import { isLocal } from "../../host/local.ts";
import { log } from "../../log.ts";
import { volumeNamed } from "../../storage/volumes.ts";
import { backingChain } from "../backing.ts";
import type { VmServices } from "../services.ts";

/** One machine's use of an image. */
export interface Use {
  readonly vmId: string;
  readonly name: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly shareable: boolean;
}

type AnyDisk = Pick<DiskDevice, "target" | "type" | "source" | "format" | "readOnly" | "shareable">;

/** How an image is used by machines: as their disk, or because their disk is built on it. */
export async function usesOf(services: VmServices, path: string): Promise<Use[]> {
  const found: Use[] = [];
  for (const vm of services.inventory.vms()) {
    const seen = new Set<string>();
    for (const disk of await disksOfBoth(services, vm, path)) {
      const key = `${disk.target} ${disk.source}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const use = { vmId: vm.id, name: vm.name, target: disk.target };
      if (await pathOf(services, disk) === path) {
        found.push({ ...use, readOnly: disk.readOnly, shareable: disk.shareable });
      } else if (await isBuiltOn(services, disk, path)) {
        found.push({ ...use, readOnly: true, shareable: false });
      }
    }
  }
  return found;
}

/** A machine's disks: those it has, and those it will have that could be on the image. */
async function disksOfBoth({ link, inventory }: VmServices, vm: VM, path: string): Promise<AnyDisk[]> {
  const disks: AnyDisk[] = vm.disks.map((disk) => ({ ...disk, source: disk.source, format: disk.format }));
  if (!vm.persistent || !inventory.active().includes(vm.id)) return disks;
  const next = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  // Most machines name it nowhere: their XML need not be read.
  return next.includes(path) || next.includes(escapeXml(path)) || next.includes("type='volume'")
    ? [...disks, ...disksOf(next)]
    : disks;
}

async function pathOf({ link }: VmServices, { type, source }: AnyDisk): Promise<string | undefined> {
  if (type !== "volume" || source === undefined) return source;
  const slash = source.indexOf("/");
  return (await volumeNamed(link, source.slice(0, slash), source.slice(slash + 1)))?.path;
}

async function isBuiltOn({ link }: VmServices, disk: AnyDisk, path: string): Promise<boolean> {
  if (disk.type !== "file" || disk.format !== "qcow2" || disk.source === undefined || !isLocal(link.uri)) {
    return false;
  }
  try {
    return (await backingChain(disk.source)).includes(path);
  } catch (error) {
    log.warn("what an image is built on cannot be read", { path: disk.source, error });
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
export async function refuseUsed(
  services: VmServices,
  path: string,
  wanted: { readonly readOnly: boolean; readonly shareable: boolean },
  own?: { readonly vmId: string; readonly target: string },
): Promise<void> {
  for (const use of await usesOf(services, path)) {
    if (own !== undefined && use.vmId === own.vmId && use.target === own.target) continue;
    if (!agree(use, wanted)) throw new ContractError("DiskInUse", { vm: use.name, path });
  }
}
