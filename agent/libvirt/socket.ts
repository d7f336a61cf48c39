/** Sockets of libvirtd on this machine. */
import { isThere } from "../machine/files.ts";

/** Sockets of the system's libvirt: of the one daemon, and of QEMU's own. */
const SOCKETS = ["/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock"] as const;

/** The socket of the libvirt with this URI, which is the system's of this machine. */
export async function libvirtSocket(uri: string): Promise<string> {
  const named = new URL(uri).searchParams.get("socket");
  if (named !== null) return named;
  return await isThere(SOCKETS[0]) ? SOCKETS[0] : SOCKETS[1];
}
