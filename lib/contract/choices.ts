/** The words for what a VM may be made of: one list each, for schemas, forms and checks. */

/** States a person distinguishes. `suspended` is off with its memory saved (managed save) or asleep (S3). */
export const VM_STATES = ["running", "stopped", "paused", "suspended", "crashed"] as const;
export const OS_TYPES = ["linux", "windows", "other"] as const;
export const DISK_FORMATS = ["qcow2", "raw"] as const;
export const DISK_BUSES = ["virtio", "scsi", "sata", "ide", "usb"] as const;
export const DISK_CACHES = ["none", "writeback", "writethrough", "directsync", "unsafe"] as const;
/** How QEMU runs a disk: field → words. libvirt has each as the attribute of `<driver>` with the same name. */
export const DISK_DRIVER = {
  /** How the host caches what the guest writes. */
  cache: ["default", ...DISK_CACHES],
  /** How QEMU reads and writes. */
  io: ["default", "threads", "native", "io_uring"],
  /** Handling of blocks that the guest discards. */
  discard: ["default", "unmap", "ignore"],
  /** Handling of blocks of zeroes that the guest writes. */
  detectZeroes: ["default", "off", "on", "unmap"],
  /** Whether blocks of a qcow2 image that the guest gives back are kept for what it writes next. */
  discardNoUnref: ["default", "off", "on"],
} as const;
/** The libvirt that has a field of {@link DISK_DRIVER}, where some hosts have an older one: major * 1,000,000 + minor * 1,000. */
export const DISK_DRIVER_SINCE = { discardNoUnref: 9_005_000 } as const satisfies Partial<
  Record<keyof typeof DISK_DRIVER, number>
>;
/** Backends for a guest's traffic without a network: QEMU's own code, or passt, which is faster. */
export const USER_BACKENDS = ["slirp", "passt"] as const;
/** Drivers that share a folder of the host with a guest: virtiofsd, or QEMU itself, which can keep it read-only. */
export const SHARE_DRIVERS = ["virtiofs", "9p"] as const;
/** Most bytes of the tag of a shared folder, by what carries it: QEMU's 9p takes 32 with the zero at the end (MAX_TAG_LEN). */
export const MOST_SHARE_TAG = { virtiofs: 36, "9p": 31 } as const;
/** Most bytes of any such tag. */
export const MAX_SHARE_TAG = MOST_SHARE_TAG.virtiofs;
/** Pattern of such a tag, for schemas. */
export const SHARE_TAG = "^[A-Za-z0-9_-]+$";
export const NIC_MODELS = ["virtio", "e1000e", "e1000", "rtl8139", "vmxnet3", "ne2k_pci"] as const;
/** The filter that lets a guest use its own addresses alone: what anti-spoofing means. It comes with libvirt. */
export const ANTI_SPOOFING = "clean-traffic";
export const CPU_MODES = ["host-passthrough", "host-model", "maximum", "custom", "default"] as const;
export const FIRMWARES = ["bios", "uefi", "uefi-secure"] as const;
export const GRAPHICS_TYPES = ["vnc", "spice", "none"] as const;
export const VIDEO_MODELS = ["virtio", "qxl", "vga", "bochs", "cirrus", "ramfb", "none"] as const;
export const SOUND_MODELS = ["none", "ich9", "ich6", "ac97", "es1370", "usb"] as const;
export const WATCHDOGS = ["none", "i6300esb", "itco"] as const;
export const WATCHDOG_ACTIONS = ["reset", "poweroff", "shutdown", "pause", "none", "inject-nmi"] as const;
export const BOOT_DEVICES = ["disk", "cdrom", "network"] as const;
/** Types of pools that can be created. */
export const POOL_TYPES = [
  "dir",
  "fs",
  "netfs",
  "logical",
  "disk",
  "iscsi",
  "zfs",
  "rbd",
  "gluster",
] as const;
export type PoolType = typeof POOL_TYPES[number];
/** Types whose sources can be looked for, and whether a server has to be named for that. */
export const FOUND_TYPES = { netfs: "host", iscsi: "host", gluster: "host", logical: "here" } as const;
export type FoundType = keyof typeof FOUND_TYPES;
