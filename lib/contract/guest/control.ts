/** A guest as a whole: shut down, frozen, its clock set. All that a guest tells is its own word. */
import Type from "typebox";
import { command } from "../command.ts";
import { closed, NOTHING_OUT, Timestamp, VmId } from "../schema.ts";
import { DOING, GuestPath, OneVm } from "./common.ts";

/** Seconds a guest may stay frozen, and stays when nothing is said. */
export const FREEZE_SECONDS = { most: 600, usual: 60 } as const;

export const guestControlCommands = {
  guest_shutdown: command({
    summary: "Shut a VM down through its guest agent",
    description: "stop_vm does so, too, and asks through ACPI where no agent answers.",
    role: "operator",
    input: closed({
      vmId: VmId,
      force: Type.Optional(
        Type.Boolean({ default: false, description: "powers it off at once, as force_stop_vm" }),
      ),
    }),
    output: NOTHING_OUT,
    errors: [...DOING, "VmBusy", "StopFailed", "ForceStopFailed"],
    route: "POST /vms/{vmId}/guest/shutdown",
    cli: ["guest", "shutdown", "<vmId>"],
    mark: "power",
    readOnly: false,
  }),
  guest_reboot: command({
    summary: "Reboot a VM through its guest agent",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: [...DOING, "VmBusy", "RebootFailed"],
    route: "POST /vms/{vmId}/guest/reboot",
    cli: ["guest", "reboot", "<vmId>"],
    mark: "power",
    readOnly: false,
  }),
  guest_freeze: command({
    summary: "Have a guest write all to its disks and write nothing more",
    description:
      "For a copy of its disks by other means; backups do it by themselves. It thaws by itself after the time limit.",
    role: "operator",
    input: closed({
      vmId: VmId,
      seconds: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: FREEZE_SECONDS.most,
        description: `after these it thaws; ${FREEZE_SECONDS.usual} when left out`,
      })),
      mountpoints: Type.Optional(
        Type.Array(GuestPath, { maxItems: 100, description: "all file systems when left out" }),
      ),
    }),
    output: Type.Object({ filesystems: Type.Integer(), thawsAt: Timestamp }),
    errors: [...DOING, "VmBusy"],
    route: "POST /vms/{vmId}/guest/freeze",
    cli: ["guest", "freeze", "<vmId>"],
    readOnly: false,
  }),
  guest_thaw: command({
    summary: "Let a guest write to its disks again",
    role: "operator",
    input: OneVm,
    output: Type.Object({ filesystems: Type.Integer({ description: "0: none was frozen" }) }),
    errors: DOING,
    route: "POST /vms/{vmId}/guest/thaw",
    cli: ["guest", "thaw", "<vmId>"],
    readOnly: false,
  }),
  guest_set_time: command({
    summary: "Set a guest's clock",
    role: "operator",
    input: closed({
      vmId: VmId,
      time: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: 253_402_300_799_999,
        description: "milliseconds since 1970-01-01T00:00:00Z; the host's time when left out",
      })),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/time",
    cli: ["guest", "set-time", "<vmId>"],
    readOnly: false,
  }),
};
