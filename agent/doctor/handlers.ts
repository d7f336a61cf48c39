/** The command that examines the host. */
import { examine } from "../../lib/doctor/checks.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import type { Settings } from "../settings.ts";
import { gatherFacts, type Libvirt } from "./gather.ts";

/** A link as the doctor asks it. */
export const libvirtOf = (link: LibvirtLink): Libvirt => ({
  get status() {
    return link.status;
  },
  node: () => link.call("nodeInfo"),
  pools: () => link.call("poolScan"),
});

/** A handler for it. */
export function healthHandlers(settings: Settings, link: LibvirtLink): Pick<Handlers, "get_host_health"> {
  let running: ReturnType<typeof look> | undefined;
  const look = async () => {
    try {
      return examine(await gatherFacts({ settings, libvirt: libvirtOf(link), serves: true }));
    } finally {
      running = undefined;
    }
  };
  // However many ask, the host is looked at once at a time
  return { get_host_health: () => running ??= look() };
}
