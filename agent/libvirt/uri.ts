/** What the URI of a libvirt tells. */

/** Fragment of a URI whose libvirt runs on another machine, whatever the rest of it looks like. */
const ELSEWHERE = "#elsewhere";

/**
 * Whether the paths that libvirt names are files of the machine we run on. This is the one place that decides whether a
 * path is opened, looked at or removed. The test driver's VMs and volumes are made up, but whoever defines one can name
 * any real file: none of its paths is ever taken for one.
 */
export function isLocal(uri: string): boolean {
  return /^(qemu|lxc|xen|bhyve|ch)(\+unix)?:\/\/\/(?!.*#elsewhere$)/.test(uri);
}

/**
 * The URI of a further host as everything asks it for places: with a mark where it names a socket, which may lead to another
 * machine (`ssh -L`, a relay). Its files, ports and sockets are not taken for ours.
 */
export function uriOfFurtherHost(uri: string): string {
  return isLocal(uri) && new URL(uri).searchParams.has("socket") ? uri + ELSEWHERE : uri;
}

/** The URI that libvirt is connected by. */
export const connectionUri = (uri: string): string =>
  uri.endsWith(ELSEWHERE) ? uri.slice(0, -ELSEWHERE.length) : uri;

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
