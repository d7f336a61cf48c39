/** Limits of a VM's disks and network interfaces. */
import {
  ContractError,
  type DiskLimitValues,
  type NicLimitValues,
  type VM,
} from "../../../lib/contract/mod.ts";
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
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Noted, Steps } from "../../operations/operation.ts";
import type { LimitsChanged } from "../../operations/step.ts";
import { diskIn, runOf } from "./configurations.ts";
import { setLimits } from "./device_steps.ts";
import { message } from "../../../lib/i18n/message.ts";

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
    reason: message`${target} shares its limits with ${
      others.join(", ")
    }: change them for the whole group with virsh blkdeviotune`,
  });
}

/** Changes limits in a configuration. `find` gives the disk again after each edit. @throws {ContractError} InvalidInput */
export function limitDisk(document: XmlDocument, find: () => XmlElement, change: DiskLimitValues): void {
  if (Object.keys(change).length > 0) setDiskLimits(document, find, limitsAfter(find(), change));
}

/** Changes the limits of a running VM's disk at once. @throws {ContractError} InvalidInput @throws {LibvirtError} */
export async function limitLiveDisk(
  host: LibvirtHost,
  { id: uuid, name }: VM,
  disk: { readonly document: XmlDocument; readonly target: string },
  change: DiskLimitValues,
  steps: Steps,
): Promise<void> {
  const { document, target } = disk;
  const element = diskIn(document, target)!;
  const before = diskLimitsOf(element), after = limitsAfter(element, change);
  const step = { uuid, of: "disk", target } as const, device = `the limits of ${target}`;
  steps.add({
    kind: "limits-changed" as const,
    ...step,
    name,
    device,
    run: runOf(document),
    before: ioTuneParameters(before),
  });
  await setLimits(host, step, ioTuneParameters(after));
}

/**
 * Changes the limits of a running VM's interface at once, and in its document. `find` gives it again after each edit.
 *
 * @returns takes them back, with the step
 * @throws {LibvirtError}
 */
export async function limitLiveNic(
  host: LibvirtHost,
  { id: uuid, name }: VM,
  document: XmlDocument,
  find: () => XmlElement,
  change: NicLimitValues,
  steps: Steps,
): Promise<() => Promise<void>> {
  const nic = find();
  const { mac, target = mac } = nicOf(nic);
  const before = nicLimitsOf(nic), after = changedNicLimits(before, change);
  const step = { uuid, of: "nic", target } as const, was = bandwidthParameters(nic, before);
  // Also where this fails: tc is told in several steps, and libvirt leaves what the first of them have done.
  const noted: Noted<LimitsChanged> = steps.add({
    kind: "limits-changed",
    ...step,
    name,
    device: `the limits of ${mac}`,
    run: runOf(document),
    before: was,
  });
  await setLimits(host, step, bandwidthParameters(nic, after));
  setNicLimits(document, find, after);
  return async () => {
    await setLimits(host, step, was);
    noted.drop();
  };
}

/**
 * Refuses limits that do not go together, and those of an interface on which libvirt supports none.
 *
 * @param nic the present one; absent for a new one
 * @param source its source after the change, where that changes
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
