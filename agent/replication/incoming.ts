/**
 * Replicas that are brought up to date by linked hosts. On one WebSocket the other KVM Manager asks, and sends pieces of disks;
 * both are taken in the order in which they come.
 */
import { needOf } from "../../lib/access/permissions.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { XmlError } from "../../lib/formats/xml/tree.ts";
import { MigrationNonsense } from "../../lib/host/migration_protocol.ts";
import { readReplicationQuestion, REPLICATION_PATH } from "../../lib/host/replication_protocol.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Principal } from "../access.ts";
import type { Caller } from "../access/mod.ts";
import { ofConnection } from "../http/connections.ts";
import type { Admit } from "../http/websocket.ts";
import type { Farewell, WebSocketConnection } from "../http/websocket_connection.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { isSystemError } from "../machine/files.ts";
import { ReplicaDamaged } from "./replica_folder.ts";
import { type IncomingReplicaServices, IncomingReplication, replicationFailed } from "./incoming_replica.ts";

/** Increments that come at once. */
const MOST_INCOMING = 16;
const DONE: Farewell = { code: 1000, reason: "" };
const REFUSED: Farewell = { code: 1008, reason: "this is not how KVM Managers replicate VMs" };

/** The parts of the application that it works with. */
export interface IncomingReplicationServices extends IncomingReplicaServices {
  readonly identify: (request: Request, caller: Caller) => Principal;
}

/** @throws {ContractError} Forbidden for who may not bring VMs to this host */
function requireRights(rights: Rights): void {
  const needs = [needOf("migrate_vm").permission, "storage.operate"];
  if (needs.every((need) => may(rights, need, "everything"))) return;
  throw new ContractError("Forbidden", { role: "administrator" });
}

export class IncomingReplications {
  #count = 0;

  constructor(private readonly services: IncomingReplicationServices) {}

  /** Whether a WebSocket is one of these. */
  isOf(pathname: string): boolean {
    return pathname === REPLICATION_PATH;
  }

  /** Answers a request for a WebSocket. */
  readonly admit: Admit = (request, door, address, peer) => {
    const principal = this.services.identify(request, { door, address, peer, ...ofConnection(request) });
    const peerId = principal.link?.peerId;
    if (peerId === undefined) {
      throw new ContractError("LinkRefused", { reason: "replicas come from hosts that are linked" });
    }
    requireRights(principal.rights);
    if (this.#count >= MOST_INCOMING) {
      throw new ContractError("TooManyRequests", {
        what: "increments that come at once",
        limit: MOST_INCOMING,
      });
    }
    return (peer) => this.#serve(peer, principal, peerId);
  };

  async #serve(peer: WebSocketConnection, principal: Principal, peerId: string): Promise<Farewell> {
    await using session = new IncomingReplication(this.services, principal, peerId);
    const revoke = () => peer.close(REFUSED);
    principal.ended.addEventListener("abort", revoke, { once: true });
    using _use = principal.hold?.();
    this.#count++;
    try {
      for await (const message of peer.messages()) {
        if (typeof message === "string") {
          if (!await peer.send(JSON.stringify(await answer(session, message)))) break;
          continue;
        }
        try {
          await session.take(message);
        } catch (error) {
          log.info("a piece of a replica could not be taken", { error });
          return { code: 1011, reason: messageOf(error) };
        }
      }
      return DONE;
    } finally {
      this.#count--;
      principal.ended.removeEventListener("abort", revoke);
    }
  }
}

/** The answer to a question, or the error that there is in its place. */
async function answer(session: IncomingReplication, asked: string): Promise<unknown> {
  try {
    return await session.answer(readReplicationQuestion(asked));
  } catch (error) {
    const known = error instanceof MigrationNonsense || error instanceof XmlError
      ? new ContractError("InvalidInput", { reason: oneLine(error.message, 300) }, { cause: error })
      : isSystemError(error) || error instanceof ReplicaDamaged
      ? replicationFailed(oneLine(error.message, 300))
      : contractError(error, "ReplicationFailed", "replicate_now");
    if (!(known instanceof ContractError)) throw error;
    return { error: known.toJSON() };
  }
}
