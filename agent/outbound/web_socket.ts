/** A WebSocket over a connection that is there already: the same for the command line and for linked hosts. */
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type ClientOptions, WebSocket } from "ws";

/** Server, path and ticket of a console. */
export interface ConsoleAddress {
  /** The server's, with the path it is below. */
  readonly base: URL;
  readonly path: string;
  readonly ticket: string;
}

/** Begins to open it. @param headers let the caller in */
export function webSocketOn(
  line: Duplex,
  { base, path, ticket }: ConsoleAddress,
  headers: Readonly<Record<string, string>>,
  options: Pick<ClientOptions, "handshakeTimeout" | "maxPayload" | "generateMask"> = {},
): WebSocket {
  const place = base.host + base.pathname.replace(/\/$/, "") + path;
  return new WebSocket(`ws://${place}?ticket=${encodeURIComponent(ticket)}`, {
    // Connected, and over TLS where it is: what travels on it is not encrypted twice
    createConnection: () => line as never,
    headers: { ...headers },
    origin: base.origin,
    perMessageDeflate: false,
    ...options,
  });
}

/** The server answered the upgrade with something else. */
export class UpgradeRefusedError extends Error {
  override readonly name = "UpgradeRefusedError";
  constructor(readonly status: number) {
    super(`it answered with HTTP status ${status}`);
  }
}

/** Waits until it is open. @throws {UpgradeRefusedError}; system errors */
export const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_request, { statusCode = 0 }) => {
      reject(new UpgradeRefusedError(statusCode));
      socket.terminate();
    });
    // Also that of terminate(), which comes too late to be the reason
    socket.once("error", reject);
  });
