/**
 * The door of a TLS listener. Whoever comes must begin a handshake soon and end it; who speaks plain HTTP is led to
 * the address with https://, and nothing else is done for them.
 */
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { log } from "../log.ts";
import type { Hosts } from "./guard.ts";

/** First byte of a TLS record that begins a handshake (RFC 8446, 5.1). */
const HANDSHAKE = 22;

/** Redirects plain requests to HTTPS, or refuses them with a text that says so. */
function lead(hosts: Hosts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const host = request.headers.host?.toLowerCase() ?? "";
    const path = request.url ?? "";
    const goesOn = hosts.has(host) && path.startsWith("/") && ["GET", "HEAD"].includes(request.method ?? "");
    const text = "This port speaks HTTPS: put https:// in front of the address.\n";
    response.writeHead(goesOn ? 308 : 400, {
      ...(goesOn && { location: `https://${host}${path}` }),
      "content-type": "text/plain; charset=utf-8",
      "content-length": text.length,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cache-control": "no-store",
      connection: "close",
    });
    response.end(request.method === "HEAD" ? undefined : text);
  };
}

/**
 * Puts the door in front of a TLS server: its handshakes begin only when the first byte is one's.
 *
 * @param ms within which the first byte must come, and a plain request must be over
 * @param admits whether a connection is taken at all
 * @returns the server of those who came without TLS, to be closed with the other
 */
export function plainHttpGuard(
  server: TlsServer,
  hosts: Hosts,
  ms: number,
  admits: (socket: Socket) => boolean,
): Server {
  const plain = createPlainServer({ maxHeaderSize: 8192 }, lead(hosts));
  plain.on("clientError", (_error, socket) => socket.destroy());
  // node:https begins the handshake in its own listener for connections: it is called when it is time.
  const begin = server.listeners("connection") as ((this: TlsServer, socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    if (!admits(socket)) return;
    socket.on("error", (error) => log.debug("a connection failed", { error }));
    const silent = setTimeout(() => socket.destroy(), ms);
    socket.once("close", () => clearTimeout(silent));
    socket.once("readable", () => {
      const first: Uint8Array | null = socket.read(1);
      if (first === null) return void socket.destroy();
      socket.unshift(first);
      if (first[0] !== HANDSHAKE) return void plain.emit("connection", socket); // the timer runs on
      clearTimeout(silent);
      for (const listener of begin) listener.call(server, socket);
    });
  });
  server.on("tlsClientError", (error) => log.debug("a TLS handshake failed", { error }));
  return plain;
}
