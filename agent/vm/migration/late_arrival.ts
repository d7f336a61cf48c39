/** A VM that runs on the other host although libvirt says that its move failed: the last answer of the libvirt there was lost. */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { isOff, undefineStopped } from "../lifecycle/undefine.ts";
import type { MigrationConversation } from "./conversation.ts";
import { isRunning } from "./domain_state.ts";
import { t } from "./findings.ts";

/** Whether a host has a VM that has come to it, and that it may run. */
export const hasArrived = (state: IncomingState): boolean => state === "running" || state === "paused";

/**
 * Ends a VM's copy on the host that it left. The other host's report to its users holds.
 *
 * @param to the other host's name @returns notes for the user @throws {LibvirtError}
 */
export async function endCopyHere(
  host: LibvirtHost,
  domain: DomainRecord | null,
  to: string,
): Promise<string> {
  if (domain === null) return t("migration.answer_lost", { host: to });
  const { uuid } = domain;
  if (!isOff(domain)) await host.link.call("domainDestroy", { uuid });
  await undefineStopped(host, uuid);
  return t(isRunning(domain) ? "migration.ran_twice" : "migration.answer_lost", { host: to });
}

/**
 * Asks the other host, once a move has failed here, whether the VM is there all the same; then its copy here is ended.
 *
 * @returns notes for the user; undefined where the VM stays @throws {ContractError} LinkedHostAway where that is not
 * known
 */
export async function takeLateArrival(
  host: LibvirtHost,
  uuid: string,
  talk: Pick<MigrationConversation, "ask" | "host">,
  failure: unknown,
): Promise<string | undefined> {
  // Without libvirt here nothing can be ended: it is settled later
  if (isConnectionLost(failure)) return undefined;
  const { state } = await talk.ask({ do: "end", hasMoved: false });
  if (!hasArrived(state)) return undefined;
  log.warn("libvirt says that a move failed, and the VM runs on the other host", {
    uuid,
    to: talk.host.id,
    state,
    error: messageOf(failure),
  });
  return await endCopyHere(host, await host.link.call("domainRead", { uuid }), talk.host.label);
}
