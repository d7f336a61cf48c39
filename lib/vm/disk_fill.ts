/** Which disks can run full. Pure. */
import type { Disk } from "../contract/mod.ts";

/** Whether a disk grows as its guest writes: media in drives and read-only disks do not, whatever they take. */
export const fillsUp = ({ device, readOnly }: Pick<Disk, "device" | "readOnly">): boolean =>
  (device === "disk" || device === "lun") && !readOnly;
