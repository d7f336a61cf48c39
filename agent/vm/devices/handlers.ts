/** The commands on a VM's disks and network cards. */
import type { CommandName, deviceCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import type { Host } from "../../hosts/host.ts";
import { attachDisk } from "./attach_disk.ts";
import { detachDisk, resizeDisk, updateDisk } from "./disks.ts";
import { moveDisk } from "./move/move.ts";
import { ejectMedia, insertMedia } from "./media.ts";
import { attachNic, detachNic, updateNic } from "./nics.ts";
import { attachShare, detachShare } from "./shares.ts";
import { showDevices, showOptions } from "./show.ts";

/** A handler for each command on devices. */
export function deviceHandlers(
  host: Host,
): Pick<Handlers, Extract<CommandName, keyof typeof deviceCommands>> {
  return {
    get_vm_devices: ({ vmId }) => showDevices(host, vmId),
    get_device_options: ({ vmId }, { principal }) => showOptions(host, host.requireVm(vmId), principal.role),
    attach_disk: (input, { principal }) => attachDisk(host, input, principal),
    detach_disk: (input, { principal }) => detachDisk(host, input, principal),
    resize_disk: (input) => resizeDisk(host, input),
    move_disk: (input, { principal }) => moveDisk(host, input, principal),
    update_disk: (input) => updateDisk(host, input),
    insert_media: (input, { principal }) => insertMedia(host, input, principal.role),
    eject_media: (input) => ejectMedia(host, input),
    attach_nic: (input, { principal }) => attachNic(host, input, principal),
    detach_nic: (input, { principal }) => detachNic(host, input, principal),
    attach_share: (input) => attachShare(host, input),
    detach_share: (input) => detachShare(host, input),
    update_nic: (input, { principal }) => updateNic(host, input, principal),
  };
}
