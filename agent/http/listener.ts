/**
 * Common base of all listeners. On node:http and node:https, because they limit what slow and hostile clients
 * can hold: Deno.serve keeps a half-sent request open for over a minute.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Door, SocketPeer } from "../access.ts";
import type { Certificates } from "../system/certificate/certificates.ts";
import { log } from "../log.ts";
import { rememberBody } from "./request_body.ts";
import type { Connections } from "./connections.ts";
import { isLongBody } from "./content.ts";
import { errorResponse, secured } from "./guard.ts";
import { propagateBackpressure } from "../outbound/tls_backpressure.ts";
import { type Admit, WebSockets } from "./websocket.ts";

/** Answers requests; by which door and from which address they come is passed along, at the socket with the caller's user. */
export type Answer = (request: Request, door: Door, address: string, peer?: SocketPeer) => Promise<Response>;

/** Limits of a listener. Milliseconds and bytes. */
export const LIMITS = {
  /** A client must have sent its whole head by then. */
  headersTimeout: 10_000,
  /** … and its whole request, unless a command's own limit is lower. */
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 60_000,
  maxHeaderSize: 16 * 1024,
  /** A TLS client must have begun its handshake by then, and ended it as long after that. */
  handshakeTimeout: 10_000,
};
export type ListenerLimits = typeof LIMITS;

/** A running listener. */
export interface Listener {
  readonly address: string;
  /** Stops listening; connections that are still open (event streams, consoles) are cut. */
  close(): Promise<void>;
}

/** Answers a request that came from an address, or throws a ContractError. */
export type Listen = (request: Request, address: string, incoming: IncomingMessage) => Promise<Response>;

/**
 * Returns the client's address of a request, by its connection or its proxy. It may rewrite the request.
 * @throws {ContractError}
 */
export type Arrive = (incoming: IncomingMessage) => string;

export function listenerOf(
  answer: Listen,
  arrive: Arrive,
  connections: Connections,
  limits: Partial<ListenerLimits> = {},
  certificates?: Certificates,
): Server {
  const { requestTimeout, handshakeTimeout, ...own } = { ...LIMITS, ...limits };
  const addresses = new WeakMap<IncomingMessage, string>();
  const answering = getRequestListener(
    async (request, { incoming }) => {
      const from = incoming as IncomingMessage;
      rememberBody(request, from);
      connections.remember(request, from);
      return await answer(request, addresses.get(from) ?? "", from);
    },
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => {
        // No Host, or one that makes no URL: the client's fault, and nothing to log for everyone who sends it.
        if (error instanceof RequestError) {
          return secured(errorResponse(new ContractError("InvalidInput", { reason: error.message })));
        }
        log.error("a request failed unexpectedly", { error });
        return secured(errorResponse(new ContractError("Internal")));
      },
    },
  );
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    try {
      addresses.set(request, arrive(request));
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return void refuse(response, error);
    }
    if (!isLongBody(request.method, request.url)) limitBody(request, response, requestTimeout);
    return void answering(request, response);
  };
  // The server's own limit on whole requests is off, because it has no exception: an upload takes hours.
  const options = { ...own, requestTimeout: 0 };
  const server = certificates === undefined ? createServer(options, onRequest) : tlsServer(
    createTlsServer({ ...options, ...TLS, ...pemOf(certificates), handshakeTimeout }, onRequest),
    certificates,
  );
  connections.follow(server);
  return server;
}

/** Versions below are broken (RFC 8996). */
const TLS = { minVersion: "TLSv1.2" } as const;

const pemOf = ({ pair: { cert, key } }: Certificates) => ({ cert, key });

/** Lets a server take a new certificate for everyone who comes from then on, and no more than it can get rid of. */
function tlsServer(server: TlsServer, certificates: Certificates): TlsServer {
  certificates.onChange(() => server.setSecureContext({ ...TLS, ...pemOf(certificates) }));
  server.on("secureConnection", (connection) => {
    if (!propagateBackpressure(connection)) {
      log.warn("a TLS connection cannot be slowed down: it may fill the memory");
    }
  });
  return server;
}

/** Answers before there is a Request. */
async function refuse(response: ServerResponse, error: ContractError): Promise<void> {
  const said = secured(errorResponse(error));
  response.writeHead(said.status, { ...Object.fromEntries(said.headers), connection: "close" });
  response.end(await said.text());
}

/** Cuts a request whose body has not come whole in time. */
function limitBody(request: IncomingMessage, response: ServerResponse, ms: number): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const timer = setTimeout(() => request.destroy(), ms);
  for (const over of ["end", "close"] as const) request.once(over, () => clearTimeout(timer));
  response.once("close", () => clearTimeout(timer));
}

/** Returns a function that stops a server: its listening, its connections, its WebSockets. */
export function closer(
  server: Server,
  connections: Connections,
  sockets: WebSockets | undefined,
  plain?: Server,
): () => Promise<void> {
  return async () => {
    connections.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    plain?.closeAllConnections();
    await sockets?.close();
    await promise;
  };
}

/** Takes WebSockets on a listener, where there is someone to serve them. */
export function webSockets(
  server: Server,
  door: Door,
  admit: Admit | undefined,
  arrive: Arrive,
  connections: Connections,
  check: (request: Request) => void = () => {},
  peerOf?: (socket: Duplex) => SocketPeer | undefined,
): WebSockets | undefined {
  if (admit === undefined) return undefined;
  const sockets = new WebSockets(door, check, admit, {}, peerOf);
  server.on("upgrade", (incoming, socket, head) => {
    const remember = (request: Request) => connections.remember(request, incoming);
    sockets.upgrade(incoming, socket, head, () => arrive(incoming), remember);
  });
  return sockets;
}

/** Begins to listen. @throws {Error} saying what to do when that is not possible */
export function listening(
  server: NetServer,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let ready = false;
  server.on("error", (error: Error & { code?: string }) => {
    // Later errors are of single connections (no file descriptor left for one): they end no server.
    if (ready) return log.warn("a connection could not be accepted", { error });
    const place = "path" in where ? where.path : `${where.host}:${where.port}`;
    const why = error.code === "EADDRINUSE"
      ? "it is in use already. Stop the other program, or choose another with --listen"
      : error.message;
    reject(new Error(`cannot listen on ${place}: ${why}`, { cause: error }));
  });
  server.listen(where, () => {
    ready = true;
    resolve();
  });
  return promise;
}
