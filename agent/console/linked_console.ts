/** The console of a linked host's VM: what its viewer here and its KVM Manager say to each other, as it is. */
import { CONSOLE_CLOSE, type ConsoleKind } from "../../lib/contract/mod.ts";
import type { ConsolePeer, Farewell } from "../http/websocket_connection.ts";
import type { Principal } from "../access.ts";
import { log } from "../log.ts";
import { openFarSocket } from "../http/far_socket.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { connectionFault } from "../hosts/linked/peer_connection.ts";

/** The console to open there. */
interface FarConsole {
  readonly kind: ConsoleKind;
  readonly vmId: string;
  /** The other one's ticket. */
  readonly ticket: string;
}

/** Hands messages on until one end is gone. */
async function hand(from: ConsolePeer, to: ConsolePeer): Promise<void> {
  for await (const message of from.messages()) if (!await to.send(message)) return;
}

/** RFC 6455, 7.4.1: codes that may not be sent on. */
const isSendable = (code: number) => code === 1000 || (code >= 3000 && code < 5000);

/** Serves a viewer here. @returns how the console ended */
export async function relayConsole(
  host: LinkedHost,
  console: FarConsole,
  principal: Principal,
  peer: ConsolePeer,
): Promise<Farewell> {
  const lost: Farewell = {
    code: CONSOLE_CLOSE.disconnected,
    reason: `The link to ${host.label} was cut`,
  };
  let open;
  try {
    const { kind, vmId, ticket } = console;
    open = await openFarSocket(host, {
      path: `/consoles/${kind}/${encodeURIComponent(vmId)}`,
      ticket,
    }, principal);
  } catch (error) {
    log.info("a console of a linked host could not be opened", { host: host.id, error });
    return { code: CONSOLE_CLOSE.failed, reason: `${host.label}: ${connectionFault(error)}`.slice(0, 100) };
  }
  const { far, farewell } = open;
  await Promise.race([hand(peer, far), hand(far, peer)]);
  far.close({ code: CONSOLE_CLOSE.done, reason: "" });
  const { code, reason } = await farewell;
  return isSendable(code) ? { code, reason } : lost;
}
