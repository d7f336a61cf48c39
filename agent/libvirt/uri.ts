/** Parts of a libvirt's URI. */
import { ELSEWHERE, isLocal } from "../machine/local_uri.ts";

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
