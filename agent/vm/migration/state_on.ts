/** Asks another host for a VM that was to move there, or from there. */
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { settlingPrincipal } from "../../access.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { HostRegistry } from "../../hosts/registry.ts";
import { incomingState } from "./domain_state.ts";
import { MigrationConversation } from "./conversation.ts";

/** Actor in the audit log there. */
const ACTOR = "KVM Manager";

/** Hosts that this KVM Manager reads itself, and those that are linked. */
export interface OtherHosts {
  readonly hosts: Pick<HostRegistry, "served">;
  readonly linked: Pick<LinkedHosts, "served">;
}

/**
 * State of the VM there.
 *
 * @throws {LibvirtError} @throws {ContractError} LinkedHostAway, LinkedHostNonsense
 * @throws {Error} where that host is no longer linked
 */
export async function stateOn(
  { hosts, linked }: OtherHosts,
  hostId: string,
  vmId: string,
): Promise<IncomingState> {
  const own = hosts.served(hostId);
  if (own !== undefined) return incomingState(await own.link.call("domainRead", { uuid: vmId }));
  const host = linked.served(hostId);
  if (host === undefined) throw new Error("it is not linked any more");
  const ask = (talk: MigrationConversation) => talk.ask({ do: "find", vmId });
  return (await MigrationConversation.during(host, settlingPrincipal(ACTOR), ask)).state;
}
