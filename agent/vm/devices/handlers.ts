/** The commands on a VM's disks, network cards and devices of the host. */
import type {
  CommandName,
  deviceCommands,
  hostDeviceCommands,
  nicCommands,
} from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import { listHostDevices } from "../../host_devices/devices.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { attachDisk } from "./attach_disk.ts";
import { detachDisk, resizeDisk, updateDisk } from "./disks.ts";
import { moveDisk } from "./move/move.ts";
import { ejectMedia, insertMedia } from "./media.ts";
import { attachHostDevice, detachHostDevice } from "./host_devices.ts";
import { attachNic, detachNic, updateNic } from "./nics.ts";
import { attachShare, detachShare } from "./shares.ts";
import { showDevices, showOptions } from "./show.ts";

/** A handler for each command on devices. */
export function deviceHandlers(
  host: LibvirtHost,
): Pick<
  Handlers,
  Extract<
    CommandName,
    keyof typeof deviceCommands | keyof typeof nicCommands | keyof typeof hostDeviceCommands
  >
> {
  return {
    get_vm_devices: ({ vmId }) => showDevices(host, vmId),
    get_device_options: ({ vmId }, { principal }) => showOptions(host, host.requireVm(vmId), principal.role),
    attach_disk: (input, { principal }) => attachDisk(host, input, principal),
    detach_disk: (input, { principal }) => detachDisk(host, input, principal),
    resize_disk: (input) => resizeDisk(host, input),
    move_disk: (input, { principal }) => moveDisk(host, input, principal),
    update_disk: (input, { principal }) => updateDisk(host, input, principal.name),
    insert_media: (input, { principal }) => insertMedia(host, input, principal),
    eject_media: (input, { principal }) => ejectMedia(host, input, principal.name),
    attach_nic: (input, { principal }) => attachNic(host, input, principal),
    detach_nic: (input, { principal }) => detachNic(host, input, principal),
    attach_share: (input, { principal }) => attachShare(host, input, principal.name),
    detach_share: (input, { principal }) => detachShare(host, input, principal.name),
    get_host_devices: () => listHostDevices(host),
    attach_host_device: (input) => attachHostDevice(host, input),
    detach_host_device: (input, { principal }) => detachHostDevice(host, input, principal.name),
    update_nic: (input, { principal }) => updateNic(host, input, principal),
  };
}
