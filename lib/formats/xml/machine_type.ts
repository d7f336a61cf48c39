/** Facts about a VM's hardware that follow from the names of architectures and machine types. */

/** Whether an architecture is that of PCs. */
export function isPc(arch: string): boolean {
  return arch === "x86_64" || arch === "i686";
}

/** q35 and its versions: PCI Express. */
export function isQ35(machine: string): boolean {
  return /(^|-)q35(-|$)/.test(machine);
}
