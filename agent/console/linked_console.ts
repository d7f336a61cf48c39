/** The console of a linked host's VM: what its viewer here and its KVM Manager say to each other, as it is. */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { CONSOLE_CLOSE, type ConsoleKind } from "../../lib/contract/mod.ts";
import { type Farewell, WEBSOCKET_LIMITS, WebSocketConnection } from "../http/websocket_connection.ts";
import type { Principal } from "../access.ts";
import { log } from "../log.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { connectionFault } from "../hosts/linked/peer_connection.ts";

/** Milliseconds in which the other one takes the ticket. */
const OPEN_MS = 10_000;

/** What is to be opened there. */
interface FarConsole {
  readonly kind: ConsoleKind;
  readonly vmId: string;
  /** The other one's ticket. */
  readonly ticket: string;
}

async function openThere(host: LinkedHost, { kind, vmId, ticket }: FarConsole, principal: Principal) {
  const { line, headers, base } = await host.peer.line();
  const path = `${base.pathname.replace(/\/$/, "")}/consoles/${kind}/${encodeURIComponent(vmId)}`;
  const socket = new WebSocket(`ws://${base.host}${path}?ticket=${encodeURIComponent(ticket)}`, {
    // Connected, and over TLS: what travels on it is not encrypted twice
    createConnection: () => line as never,
    headers: { ...headers, ...host.callerHeaders(principal) },
    origin: base.origin,
    perMessageDeflate: false,
    handshakeTimeout: OPEN_MS,
    maxPayload: WEBSOCKET_LIMITS.maxPayload,
  });
  const farewell = Promise.withResolvers<Farewell>();
  socket.once("close", (code, reason) => farewell.resolve({ code, reason: reason.toString().slice(0, 200) }));
  // Before anything is said: the first message comes with the answer
  const far = new WebSocketConnection(socket, line, WEBSOCKET_LIMITS);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return { far, farewell: farewell.promise };
}

/** Hands messages on until one end is gone. */
async function hand(from: WebSocketConnection, to: WebSocketConnection): Promise<void> {
  for await (const message of from.messages()) if (!await to.send(message)) return;
}

/** RFC 6455, 7.4.1: codes that may not be sent on. */
const isSendable = (code: number) => code === 1000 || (code >= 3000 && code < 5000);

/** Serves a viewer here. @returns how the console ended */
export async function relayConsole(
  host: LinkedHost,
  console: FarConsole,
  principal: Principal,
  peer: WebSocketConnection,
): Promise<Farewell> {
  const lost: Farewell = {
    code: CONSOLE_CLOSE.disconnected,
    reason: `The link to ${host.label} was cut`,
  };
  let open;
  try {
    open = await openThere(host, console, principal);
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
