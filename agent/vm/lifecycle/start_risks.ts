/**
 * Warnings about VMs that run, or that libvirt starts with the host, although a start here would be refused: virsh and
 * libvirt's autostart cannot be kept from it.
 */
import type { VM } from "../../../lib/contract/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { hostUseOf, liveOnce } from "../../storage/block_devices.ts";
import { ImageUses } from "../../storage/image_conflicts.ts";
import { mergedImage, mergedText, unknownImage } from "../snapshots/next_start.ts";
import { deviceChange } from "../devices/device_identity.ts";

/** Names no other VM: who sees this one may not see that. */
async function diskRisk(
  uses: ImageUses,
  live: ReturnType<typeof liveOnce>,
  vm: VM,
): Promise<string | undefined> {
  const [conflict] = await uses.conflicts(vm);
  if (conflict !== undefined) {
    const { target, isBase } = conflict;
    return isBase
      ? `other images are built on its disk ${target}, which what it writes corrupts. Keep it off until those are gone`
      : `another VM has the image of its disk ${target}, too. Detach it from one of them`;
  }
  for (const { target, type, source, readOnly } of vm.disks) {
    const use = type === "block" && source !== undefined && !readOnly
      ? await hostUseOf(source, live)
      : undefined;
    if (use !== undefined) return `this host uses its disk ${target}: ${use}. Detach it`;
  }
}

/** Trace of a libvirt that was killed within a snapshot: only a change that waits for the next start can show it. */
async function imageRisk(host: LibvirtHost, vm: VM): Promise<string | undefined> {
  if (!host.inventory.record(vm.id)?.pending) return undefined;
  const merged = await mergedImage(host, vm);
  if (merged !== undefined) return `its ${mergedText(merged)}`;
  const disk = await unknownImage(host, vm);
  return disk &&
    `libvirt does not know the image that QEMU writes its disk ${disk.target} to. Shut it down and start it: ` +
      "until then it is neither backed up nor suspended";
}

async function deviceRisk(host: LibvirtHost, vm: VM): Promise<string | undefined> {
  // Its XML is read of the few alone that have any device of the host
  if (!host.inventory.record(vm.id)?.summary.takesDevices) return undefined;
  const change = await deviceChange(host, vm);
  if (change === undefined) return undefined;
  const device = oneLine(String(change.details?.device), 40);
  return `device ${device} of the host is another one by now. Detach it, and attach the one that is meant`;
}

/** Looks at all of them, and has them show it; nothing of them is changed. @throws {LibvirtError} when libvirt is away */
export async function showStartRisks(host: LibvirtHost): Promise<void> {
  const { inventory, link } = host;
  if (link.machine === null || !inventory.filled) return;
  const active = new Set(inventory.active()), uses = await ImageUses.read(host, undefined, false);
  const live = liveOnce();
  for (const vm of inventory.vms()) {
    // What it is making may look like another's: an image that is built on its disk
    if (vm.operation !== undefined) continue;
    const isTold = active.has(vm.id) || (vm.autostart && vm.persistent);
    let startRisk: string | undefined;
    try {
      startRisk = isTold
        ? await imageRisk(host, vm) ?? await diskRisk(uses, live, vm) ?? await deviceRisk(host, vm)
        : undefined;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      log.debug("whether a VM may start is not known now", { vm: vm.name, error });
      continue;
    }
    if (startRisk !== inventory.startRisk(vm.id)) inventory.update(vm.id, { startRisk });
  }
}
