/** The fields of the commands that are forms about a VM's disks and shared folders. */
import { DISK_TUNING } from "../../../lib/contract/mod.ts";
import { commandFields } from "../../../lib/text/command_fields.ts";

export const ATTACH_DISK = commandFields("attach_disk");
export const UPDATE_DISK = commandFields("update_disk");
export const RESIZE_DISK = commandFields("resize_disk");
export const MOVE_DISK = commandFields("move_disk");
export const DETACH_DISK = commandFields("detach_disk");
export const INSERT_MEDIA = commandFields("insert_media");
export const EJECT_MEDIA = commandFields("eject_media");
export const ATTACH_SHARE = commandFields("attach_share");

/** Fields of a disk that can be changed. */
export const TUNED = DISK_TUNING;
/** Those that can be chosen as a disk is added. */
export const TUNED_NEW = DISK_TUNING.filter((field) => field !== "bootOrder");
/** Those that a drive has: its medium is not changed by them. */
export const TUNED_DRIVE = DISK_TUNING.filter((field) => ["cache", "io", "bootOrder"].includes(field));

/** The commands whose forms set how a disk is run. */
export type DiskCommand = "attach_disk" | "update_disk";
