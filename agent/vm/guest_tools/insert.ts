/** Putting the CD with the guest tools into a VM, and giving it the channel that the agent speaks by. */
import type { Output, VM } from "../../../lib/contract/mod.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { attachDisk } from "../devices/attach_disk.ts";
import { configurationsOf, haveUsb } from "../devices/configurations.ts";
import { insertMedia } from "../devices/media.ts";
import { addChannel } from "./channel.ts";
import { toolsVolumeOf } from "./volume.ts";

/** The drive it goes into: one that has it, else the first that is empty. */
function driveOf({ disks }: VM, path: string): { target: string; isThere: boolean } | undefined {
  const drives = disks.filter(({ device }) => device === "cdrom");
  const holder = drives.find(({ source }) => source === path);
  const drive = holder ?? drives.find(({ source }) => source === undefined);
  return drive && { target: drive.target, isThere: holder !== undefined };
}

/**
 * Inserts it: into an empty drive, or one that is added; what somebody else put into a drive stays there.
 *
 * @throws {ContractError}
 */
export async function insertGuestTools(
  host: LibvirtHost,
  vmId: string,
  principal: Principal,
): Promise<Output<"insert_guest_tools">> {
  const vm = host.requireVm(vmId);
  const { path } = await toolsVolumeOf(host, vm, principal.name);
  const drive = driveOf(host.requireVm(vmId), path);
  const inserted = drive === undefined
    ? await addDrive(host, vm, path, principal)
    : drive.isThere
    ? { target: drive.target, live: true }
    : {
      target: drive.target,
      ...await insertMedia(host, { vmId, target: drive.target, path }, principal),
    };
  let channel: Output<"insert_guest_tools">["channel"] = "present";
  await host.claims.operate(host.requireVm(vmId), "adding a channel", async () => {
    channel = await addChannel(host, host.requireVm(vmId));
  });
  const isOn = host.inventory.active().includes(vmId);
  return { target: inserted.target, path, applies: !isOn || inserted.live ? "now" : "next start", channel };
}

/**
 * A running VM takes a drive by USB, which every system knows; one that is off, or has no USB, gets one of its machine type's
 * own bus for its next start.
 */
async function addDrive(host: LibvirtHost, vm: VM, path: string, principal: Principal) {
  const input = { vmId: vm.id, device: "cdrom" as const, path };
  const { live } = await configurationsOf(host, vm);
  if (live === undefined) return await attachDisk(host, input, principal);
  const isForNext = !haveUsb({ live }) && vm.persistent;
  return await attachDisk(host, isForNext ? { ...input, live: false } : { ...input, bus: "usb" }, principal);
}
