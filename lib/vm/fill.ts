/** Storage that can run full. Pure. */
import type { Disk } from "../contract/mod.ts";

/** Whether a disk grows as its guest writes: media in drives and read-only disks do not, whatever they take. */
export const fillsUp = ({ device, readOnly }: Pick<Disk, "device" | "readOnly">): boolean =>
  (device === "disk" || device === "lun") && !readOnly;

const READ_ONLY: ReadonlySet<string> = new Set(["iso9660", "udf", "squashfs", "erofs", "cramfs", "romfs"]);

/** Whether a file system can run full: those that cannot be written to are full as they are. */
export const canFill = (type: string): boolean => !READ_ONLY.has(type.toLowerCase());
