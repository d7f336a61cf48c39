/** Meaning of the status of a connection to libvirt. Pure. */
import type { ConnectionStatus } from "../contract/host.ts";

/** Whether libvirt is there and does not answer: a restart helps then, and VMs go on meanwhile. */
export function isSilent({ status, error }: Pick<ConnectionStatus, "status" | "error">): boolean {
  return status === "disconnected" && error !== null && /\bdoes not answer\b/.test(error);
}
