/** What the URI of a libvirt tells. */

/**
 * Whether the paths that libvirt names are files of the machine we run on. This is the one place that decides whether a
 * path is opened, looked at or removed. The test driver's VMs and volumes are made up, but whoever defines one can name
 * any real file: none of its paths is ever taken for one.
 */
export function isLocal(uri: string): boolean {
  return /^(qemu|lxc|xen|bhyve|ch)(\+unix)?:\/\/\//.test(uri);
}

/**
 * Whether the machine of a host is the one we run on: its screens may be dialled, its sockets opened. A socket that the URI of
 * a further host names may lead to another machine (`ssh -L`, a relay): its ports and sockets are not taken for ours.
 *
 * @param isLocalHost whether it is the host that KVM Manager was installed for
 */
export function isThisMachine(uri: string, isLocalHost: boolean): boolean {
  return isLocal(uri) && (isLocalHost || !new URL(uri).searchParams.has("socket"));
}

/** The system QEMU driver of this machine: its folders under /etc, /run and /var/lib are readable files here. */
export function isLocalSystem(uri: string): boolean {
  return uri === "qemu:///system" || uri === "qemu:///system?";
}

/** Whether libvirt runs as a user of its host: what that user can change gives a guest nothing more. */
export const isSession = (uri: string): boolean => new URL(uri).pathname === "/session";

/**
 * The folder in which libvirt keeps the logs of the QEMUs of its VMs, where that is one of this machine.
 *
 * @param env of our process, whose user's session it is
 */
export function qemuLogFolder(uri: string, env: (name: string) => string | undefined): string | undefined {
  const mode = /^qemu(?:\+unix)?:\/\/\/(system|session)\??$/.exec(uri)?.[1];
  if (mode === "system") return "/var/log/libvirt/qemu";
  const home = env("HOME"),
    cache = env("XDG_CACHE_HOME") ?? (home === undefined ? undefined : `${home}/.cache`);
  return mode === undefined || cache === undefined ? undefined : `${cache}/libvirt/qemu/log`;
}
