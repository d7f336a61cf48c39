/** Selects the disks of a VM that a backup includes. Pure. */
import type { Disk } from "../contract/vm.ts";

/** A disk that is left out, and why. */
export interface SkippedDisk {
  readonly target: string;
  readonly reason: string;
}

/** Why a disk with content is left out; undefined for one that is copied. */
function reasonOf({ device, readOnly, shareable, target }: Disk): string | undefined {
  if (device === "lun") return "it is a device that is passed through to the guest";
  if (readOnly) return "it is read-only";
  if (shareable) return "it is shared with other VMs";
  if (!/^[a-z]{2,8}$/.test(target)) return "its name is none that a backup can have";
  return undefined;
}

/** Sorts a VM's disks. Media in drives are neither: they are nothing that the VM has written. */
export function disksToCopy(
  disks: readonly Disk[],
): { readonly disks: Disk[]; readonly left: SkippedDisk[] } {
  const own = disks.filter(({ device, source }) =>
    source !== undefined && device !== "cdrom" && device !== "floppy"
  );
  return {
    disks: own.filter((disk) => reasonOf(disk) === undefined),
    left: own.flatMap((disk) => {
      const reason = reasonOf(disk);
      return reason === undefined ? [] : [{ target: disk.target, reason }];
    }),
  };
}
