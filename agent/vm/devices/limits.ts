/** Limits of a VM's disks and network interfaces. */
import { ContractError, type DiskLimitValues, type NicLimitValues } from "../../../lib/contract/mod.ts";
import {
  bandwidthParameters,
  diskLimitsOf,
  ioTuneParameters,
  limitedWith,
  nicLimitsOf,
  setDiskLimits,
  setNicLimits,
} from "../../../lib/formats/xml/device_limits.ts";
import { nicOf } from "../../../lib/formats/xml/device_diff.ts";
import type { NicSource } from "../../../lib/formats/xml/device_nic.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { XmlElement } from "../../../lib/formats/xml/tree.ts";
import {
  changedDiskLimits,
  changedNicLimits,
  diskLimitFault,
  type LimitFault,
  nicLimitFault,
  takesLimits,
} from "../../../lib/formats/xml/limit_rules.ts";
import type { Host } from "../../hosts/host.ts";
import type { Rollback } from "../../rollback.ts";
import { diskIn } from "./configurations.ts";

/** @throws {ContractError} InvalidInput */
export function refuseFaulty(fault: LimitFault | undefined): void {
  if (fault !== undefined) throw new ContractError("InvalidInput", { ...fault });
}

/** The limits of a disk after a change. @throws {ContractError} InvalidInput where they do not go together */
function limitsAfter(disk: XmlElement, change: DiskLimitValues): DiskLimitValues {
  const limits = changedDiskLimits(diskLimitsOf(disk), change);
  refuseFaulty(diskLimitFault(limits));
  return limits;
}

/**
 * Refuses limits of a disk that others share: libvirt 9.0 takes no definition in which they differ for a moment.
 *
 * @throws {ContractError} InvalidInput
 */
export function refuseShared(document: XmlDocument, target: string): void {
  const others = limitedWith(document.root, target);
  if (others.length === 0) return;
  throw new ContractError("InvalidInput", {
    reason: `${target} shares its limits with ${
      others.join(", ")
    }: change them for the whole group with virsh blkdeviotune`,
  });
}

/** Changes limits in a configuration. `find` gives the disk anew after each edit. @throws {ContractError} InvalidInput */
export function limitDisk(document: XmlDocument, find: () => XmlElement, change: DiskLimitValues): void {
  if (Object.keys(change).length > 0) setDiskLimits(document, find, limitsAfter(find(), change));
}

/** Changes the limits of a running VM's disk at once. @throws {ContractError} InvalidInput @throws {LibvirtError} */
export async function limitLiveDisk(
  { link }: Host,
  uuid: string,
  disk: { readonly document: XmlDocument; readonly target: string },
  change: DiskLimitValues,
  rollback: Rollback,
): Promise<void> {
  const { document, target } = disk;
  const element = diskIn(document, target)!;
  const before = diskLimitsOf(element), after = limitsAfter(element, change);
  const set = (limits: DiskLimitValues) =>
    link.call("domainSetBlockIoTune", { uuid, target, limits: ioTuneParameters(limits) });
  await set(after);
  rollback.add(`the limits of ${target} in the running VM`, () => set(before));
}

/**
 * Changes the limits of a running VM's interface at once, and in its document. `find` gives it anew after each edit.
 *
 * @throws {LibvirtError}
 */
export async function limitLiveNic(
  { link }: Host,
  uuid: string,
  document: XmlDocument,
  find: () => XmlElement,
  change: NicLimitValues,
  rollback: Rollback,
): Promise<void> {
  const nic = find();
  const { mac, target: device = mac } = nicOf(nic);
  const before = nicLimitsOf(nic), after = changedNicLimits(before, change);
  const set = (limits: NicLimitValues) =>
    link.call("domainSetInterfaceLimits", { uuid, device, limits: bandwidthParameters(nic, limits) });
  // Also where this fails: tc is told in several steps, and libvirt leaves what the first of them have done.
  rollback.add(`the limits of ${mac} in the running VM`, () => set(before));
  await set(after);
  setNicLimits(document, find, after);
}

/**
 * Refuses limits that do not go together, and those of an interface that libvirt limits nothing of.
 *
 * @param nic as it is; absent for a new one @param source what it is plugged into after the change, where that changes
 * @throws {ContractError} InvalidInput, LimitsNotSupported
 */
export function requireNicLimits(
  nic: XmlElement | undefined,
  change: NicLimitValues,
  source: NicSource | undefined,
): void {
  const limits = changedNicLimits(nic === undefined ? {} : nicLimitsOf(nic), change);
  refuseFaulty(nicLimitFault(limits));
  const type = source?.type ?? (nic === undefined ? "" : nicOf(nic).type);
  if (Object.keys(limits).length > 0 && !takesLimits(type)) {
    throw new ContractError("LimitsNotSupported", { type });
  }
}
