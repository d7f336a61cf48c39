/** Disks that move to another storage pool, as far as a page can tell. Pure. */
import type { Job, VmDisk } from "../contract/mod.ts";
import type { disks } from "../i18n/en/disks.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

/** Reason why a disk cannot be moved; undefined if the server decides. */
export function moveHindrance(disk: VmDisk): PlainKeyOf<typeof disks> | undefined {
  const { device, source, pool, shareable, readOnly, place, pending } = disk;
  if (device === "cdrom" || device === "floppy") return "devices.move_not_drive";
  if (device === "lun") return "devices.move_not_lun";
  if (shareable) return "devices.move_not_shareable";
  if (readOnly) return "devices.move_not_read_only";
  const isOther = pending.some(({ field }) => field === "source" || field === "format");
  if (place !== "both" || isOther) return "devices.move_not_pending";
  if (source === undefined || pool === undefined) return "devices.move_not_pool";
  return undefined;
}

/** Whether a job moves a disk of a VM. */
export const isMoveOf = (id: string) => ({ command, vmId }: Job): boolean =>
  command === "move_disk" && vmId === id;
