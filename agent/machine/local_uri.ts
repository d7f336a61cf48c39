/** Whether a libvirt runs on the machine that we run on, by its URI. Whoever has a host or a link asks its `machine`. */

/** Fragment of a URI whose libvirt runs on another machine, whatever the rest of it looks like. */
export const ELSEWHERE = "#elsewhere";

/**
 * Whether the paths that libvirt names are files of the machine we run on. This is the one place that decides whether a
 * path is opened, looked at or removed. The test driver's VMs and volumes are made up, but whoever defines one can name
 * any real file: none of its paths is ever taken for one.
 */
export function isLocal(uri: string): boolean {
  return /^(qemu|lxc|xen|bhyve|ch)(\+unix)?:\/\/\/(?!.*#elsewhere$)/.test(uri);
}

/** The system QEMU driver of this machine: its folders under /etc, /run and /var/lib are readable files here. */
export function isLocalSystem(uri: string): boolean {
  return uri === "qemu:///system" || uri === "qemu:///system?";
}
