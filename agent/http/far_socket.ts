/** WebSockets to a linked host's KVM Manager, opened for a user of this one. */
import type { Duplex } from "node:stream";
import type { Principal } from "../access.ts";
import { type ConsoleAddress, opened, UpgradeRefusedError, webSocketOn } from "../outbound/web_socket.ts";
import { type Farewell, WEBSOCKET_LIMITS, WebSocketConnection } from "./websocket_connection.ts";

/** Milliseconds in which the other one takes the ticket. */
const OPEN_MS = 10_000;

/** Connection to a linked host. */
export interface FarServer {
  readonly peer: {
    line(): Promise<
      { readonly line: Duplex; readonly headers: Readonly<Record<string, string>>; readonly base: URL }
    >;
    forgetSession(): void;
  };
  callerHeaders(principal: Principal): Readonly<Record<string, string>>;
}

/** A WebSocket there, and how it ended once it has. */
export interface FarSocket {
  readonly far: WebSocketConnection;
  readonly farewell: Promise<Farewell>;
}

/**
 * Opens one. @param address path, and the ticket needed there in addition to the link itself @throws {NotSentError |
 * UpgradeRefusedError}; system errors
 */
export async function openFarSocket(
  host: FarServer,
  address: Pick<ConsoleAddress, "path" | "ticket">,
  principal: Principal,
): Promise<FarSocket> {
  try {
    return await openOnce(host, address, principal);
  } catch (error) {
    // It was started again, and knows no session of before
    if (!(error instanceof UpgradeRefusedError && error.status === 401)) throw error;
    host.peer.forgetSession();
    return await openOnce(host, address, principal);
  }
}

async function openOnce(
  host: FarServer,
  { path, ticket }: Pick<ConsoleAddress, "path" | "ticket">,
  principal: Principal,
): Promise<FarSocket> {
  const { line, headers, base } = await host.peer.line();
  const socket = webSocketOn(line, { base, path, ticket }, { ...headers, ...host.callerHeaders(principal) }, {
    handshakeTimeout: OPEN_MS,
    maxPayload: WEBSOCKET_LIMITS.maxPayload,
    // A mask of zeros costs nothing at either end: no proxy that it is meant for sees what TLS carries
    generateMask: () => {},
  });
  const farewell = Promise.withResolvers<Farewell>();
  socket.once("close", (code, reason) => farewell.resolve({ code, reason: reason.toString().slice(0, 200) }));
  // Before anything is said: the first message comes with the answer
  const far = new WebSocketConnection(socket, line, WEBSOCKET_LIMITS);
  await opened(socket);
  return { far, farewell: farewell.promise };
}
