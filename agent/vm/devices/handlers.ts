/** The commands on a machine's disks and network cards. */
import type { CommandName, deviceCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import type { VmServices } from "../services.ts";
import { attachDisk } from "./attach_disk.ts";
import { detachDisk, resizeDisk, updateDisk } from "./disks.ts";
import { ejectMedia, insertMedia } from "./media.ts";
import { attachNic, detachNic, updateNic } from "./nics.ts";
import { showDevices, showOptions } from "./show.ts";

/** A handler for each command on devices. */
export function deviceHandlers(
  services: VmServices,
): Pick<Handlers, Extract<CommandName, keyof typeof deviceCommands>> {
  return {
    get_vm_devices: ({ vmId }) => showDevices(services, vmId),
    get_device_options: ({ vmId }) => {
      services.requireVm(vmId);
      return showOptions(services);
    },
    attach_disk: (input, { principal }) => attachDisk(services, input, principal.role),
    detach_disk: (input, { principal }) => detachDisk(services, input, principal.role),
    resize_disk: (input) => resizeDisk(services, input),
    update_disk: (input) => updateDisk(services, input),
    insert_media: (input, { principal }) => insertMedia(services, input, principal.role),
    eject_media: (input) => ejectMedia(services, input),
    attach_nic: (input) => attachNic(services, input),
    detach_nic: (input) => detachNic(services, input),
    update_nic: (input) => updateNic(services, input),
  };
}
