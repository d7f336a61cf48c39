/** The command that examines the host. */
import { examine } from "../../../lib/system/doctor/checks.ts";
import type { Handlers } from "../../dispatch.ts";
import { HostCapabilities } from "../../hosts/capabilities.ts";
import { NodeInfo } from "../../hosts/node_info.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import type { Settings } from "../../settings.ts";
import { gatherFacts, type Libvirt } from "./gather.ts";

/** A link as the doctor asks it. */
export const libvirtOf = (
  link: LibvirtLink,
  capabilities = new HostCapabilities(link, new NodeInfo(link)),
): Libvirt => ({
  get status() {
    return link.status;
  },
  node: () => link.call("nodeInfo"),
  pools: () => link.call("poolScan"),
  kvmTrouble: () => capabilities.kvmTrouble(),
});

/** A handler for it. */
export function healthHandlers(
  settings: Settings,
  link: LibvirtLink,
  capabilities: HostCapabilities,
): Pick<Handlers, "get_host_health"> {
  let running: ReturnType<typeof look> | undefined;
  const look = async () => {
    try {
      // The service looks at its own folder.
      const inDataDir = <T>(run: () => Promise<T>) => run();
      const libvirt = libvirtOf(link, capabilities);
      return examine(await gatherFacts({ settings, libvirt, serves: true, inDataDir }));
    } finally {
      running = undefined;
    }
  };
  // However many ask, the host is looked at once at a time
  return { get_host_health: () => running ??= look() };
}
