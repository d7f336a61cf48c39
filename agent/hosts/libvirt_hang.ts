/** That libvirt itself does not answer, as one of what does not respond. Pure. */
import type { ConnectionStatus, Hang } from "../../lib/contract/host.ts";
import { isSilent } from "../../lib/hangs/libvirt.ts";

/** None where libvirt answers, or is not there at all. */
export function libvirtHang(status: ConnectionStatus): Hang[] {
  if (!isSilent(status)) return [];
  return [{
    ...{ about: "host", name: "libvirt", since: status.since },
    call: status.error ?? "libvirt does not answer",
    remedy: "If it stays so, restart libvirtd (systemctl restart libvirtd): running VMs go on.",
  }];
}
