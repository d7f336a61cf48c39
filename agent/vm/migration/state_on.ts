/** Asks a linked host for a VM that was to move there. */
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { settlingPrincipal } from "../../access.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import { MigrationConversation } from "./conversation.ts";

/** Who asks, in the audit log there. */
const ACTOR = "KVM Manager";

/** Where the VM is there. @throws {ContractError} LinkedHostAway, LinkedHostNonsense @throws {Error} where that host is no longer linked */
export async function stateOn(
  linked: Pick<LinkedHosts, "served">,
  hostId: string,
  vmId: string,
): Promise<IncomingState> {
  const host = linked.served(hostId);
  if (host === undefined) throw new Error("it is not linked any more");
  const ask = (talk: MigrationConversation) => talk.ask({ do: "find", vmId });
  return (await MigrationConversation.during(host, settlingPrincipal(ACTOR), ask)).state;
}
