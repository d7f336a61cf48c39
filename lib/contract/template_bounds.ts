/** Bounds of what is made of templates, without schemas: pages have them, too. */

/** Most VMs that are made at once. */
export const MOST_NEW_VMS = 50;
/** Stands for the number in the name of one of several VMs; several of them give it leading zeros. */
export const NUMBER_MARK = "#";

/** Items that can be removed from the guest in a template's disks: see `lib/template/seal.ts`. */
export const SEALS = [
  "machine-id",
  "ssh-host-keys",
  "cloud-init",
  "dhcp-leases",
  "udev-net-rules",
  "random-seed",
  "logs",
  "shell-history",
] as const;
