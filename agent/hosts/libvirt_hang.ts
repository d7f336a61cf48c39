/** That libvirt itself does not answer, as one of what does not respond. Pure. */
import type { ConnectionStatus, Hang } from "../../lib/contract/host.ts";
import { isSilent } from "../../lib/hangs/libvirt.ts";
import { REMEDIES } from "./hangs.ts";

/** None where libvirt answers, or is not there at all. */
export function libvirtHang(status: ConnectionStatus): Hang[] {
  if (!isSilent(status)) return [];
  return [{
    about: "host",
    name: "libvirt",
    since: status.since,
    call: status.error ?? "libvirt does not answer",
    remedy: REMEDIES.host,
  }];
}
