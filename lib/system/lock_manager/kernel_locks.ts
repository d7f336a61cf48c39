/** The locks of files that the kernel has. Source: proc(5), /proc/locks. Pure. */

/** A lock of a process: of QEMU's own image locks there is no process, since a file has them. */
export interface ProcessLock {
  /** As this process sees it; 0 for a process of another namespace. */
  readonly pid: number;
  /** `fe:00:1234`: device in hex, and inode. */
  readonly file: string;
}

/** All locks that processes hold by fcntl, as virtlockd does; not those that wait. */
export function processLocks(text: string): ProcessLock[] {
  return [...text.matchAll(/^\d+: POSIX +\S+ +(?:READ|WRITE) +(-?\d+) ([0-9a-f]+:[0-9a-f]+:\d+) /gm)].map(
    ([, pid, file]) => ({ pid: Number(pid), file: file! }),
  );
}

/** A file as the kernel names it there. @param dev of stat(2) */
export function lockedFile({ dev, ino }: { readonly dev: number; readonly ino: number | null }): string {
  const device = BigInt(dev);
  const major = (device >> 8n & 0xfffn) | (device >> 32n & ~0xfffn),
    minor = (device & 0xffn) | (device >> 12n & ~0xffn);
  const hex = (number: bigint) => number.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor & 0xffffffffn)}:${ino ?? 0}`;
}
