/** The command that examines the host. */
import { countFindings } from "../../../lib/system/doctor/finding.ts";
import { examine } from "../../../lib/system/doctor/checks.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import type { Handlers } from "../../dispatch.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { HostCapabilities } from "../../hosts/capabilities.ts";
import { NodeInfo } from "../../hosts/node_info.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import type { Settings } from "../../settings.ts";
import { askLinked, type LockServices, sourcesOn } from "../lock_manager/handlers.ts";
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

/** A handler for it, which notes for the dashboard what it found. */
export function healthHandlers(
  settings: Settings,
  host: Pick<LibvirtHost, "id" | "machine" | "link" | "inventory" | "capabilities" | "health">,
  app: LockServices,
): Pick<Handlers, "get_host_health"> {
  const { link, capabilities } = host, { clock } = app;
  let running: ReturnType<typeof look> | undefined;
  const look = async (principal: Principal) => {
    try {
      // The service looks at its own folder.
      const inDataDir = <T>(run: () => Promise<T>) => run();
      const libvirt = libvirtOf(link, capabilities);
      const locks = async () => ({
        ...await sourcesOn(host),
        others: askLinked(app, principal),
        autostart: host.inventory.vms().filter(({ autostart }) => autostart).map(({ name }) => name),
      });
      const isSystem = host.machine?.isSystem === true;
      const context = { settings, libvirt, serves: true, inDataDir, locks: isSystem ? locks : undefined };
      const findings = examine(await gatherFacts(context));
      host.health = { at: clock.now(), ...countFindings(findings) };
      return findings;
    } finally {
      running = undefined;
    }
  };
  return {
    get_host_health: (_input, { principal }) => {
      if (link.simulation !== undefined) return link.simulation.machine.health();
      if (host.machine === null && host.id !== LOCAL_HOST) {
        const reason = "KVM Manager examines the host that it runs on only. Run kvm-manager doctor there";
        throw new ContractError("NotOnThisHost", { what: "The host's health", reason });
      }
      // However many ask, the host is looked at once at a time
      return running ??= look(principal);
    },
  };
}
