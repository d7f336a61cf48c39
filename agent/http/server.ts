/**
 * The listeners: TCP for people, a UNIX socket for root's command line. On node:http, because it bounds what slow
 * and hostile clients can hold: Deno.serve keeps a half-sent request open for over a minute.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Door, SocketPeer } from "../access.ts";
import { log } from "../log.ts";
import { addressOf } from "./address.ts";
import { rememberBody } from "./arriving.ts";
import { isLongBody } from "./content.ts";
import { socketPeers, type SocketRule } from "./socket_peers.ts";
import { errorResponse, guard, isLoopback, loopbackHosts, secured } from "./guard.ts";
import { type Admit, WebSockets } from "./websocket.ts";

/** Answers requests; by which door and from which address they come is told beside them, at the socket who it is. */
export type Answer = (request: Request, door: Door, address: string, peer?: SocketPeer) => Promise<Response>;

/** Limits of a listener. Milliseconds and bytes. */
const LIMITS = {
  /** A client must have sent its whole head by then. */
  headersTimeout: 10_000,
  /** … and its whole request, unless a command's own limit is lower. */
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 60_000,
  maxHeaderSize: 16 * 1024,
};
export type ListenerLimits = typeof LIMITS;
/** Connections at once; more are closed as they come. */
const MOST_CONNECTIONS = 512;

/** A running listener. */
export interface Listener {
  readonly address: string;
  /** Stops listening; connections that are still open (event streams, consoles) are cut. */
  close(): Promise<void>;
}

function listenerOf(
  answer: (request: Request, incoming: IncomingMessage) => Promise<Response>,
  limits: Partial<ListenerLimits> = {},
): Server {
  const { requestTimeout, ...own } = { ...LIMITS, ...limits };
  const answering = getRequestListener(
    async (request, { incoming }) => {
      rememberBody(request, incoming as IncomingMessage);
      return await answer(request, incoming as IncomingMessage);
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
  // The server's own limit on whole requests is off, because it has no exception: an upload takes hours.
  const server = createServer({ ...own, requestTimeout: 0 }, (request, response) => {
    if (!isLongBody(request.method, request.url)) limitBody(request, response, requestTimeout);
    return answering(request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

/** Cuts a request whose body has not come whole in time. */
function limitBody(request: IncomingMessage, response: ServerResponse, ms: number): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const timer = setTimeout(() => request.destroy(), ms);
  for (const over of ["end", "close"] as const) request.once(over, () => clearTimeout(timer));
  response.once("close", () => clearTimeout(timer));
}

function closer(server: Server, sockets: WebSockets | undefined): () => Promise<void> {
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await sockets?.close();
    await promise;
  };
}

/** Takes WebSockets on a listener, where there is someone to serve them. */
function webSockets(
  server: Server,
  door: Door,
  admit: Admit | undefined,
  check: (request: Request) => void = () => {},
  peerOf?: (socket: Duplex) => SocketPeer | undefined,
): WebSockets | undefined {
  if (admit === undefined) return undefined;
  const sockets = new WebSockets(door, check, admit, {}, peerOf);
  server.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
  return sockets;
}

/**
 * Listens on TCP. Passwords and sessions go over it in the clear, so only on loopback.
 *
 * @param at `127.0.0.1:8440`; port 0 takes a free one
 * @param limits other limits than the usual ones: tests shorten them
 * @param admit serves WebSockets; without it there are none
 * @throws {Error} when the address is not loopback, or cannot be listened on
 */
export async function listenTcp(
  at: string,
  answer: Answer,
  limits: Partial<ListenerLimits> = {},
  admit?: Admit,
): Promise<Listener> {
  const { hostname, port } = loopbackAddress(at);
  let hosts: ReadonlySet<string> = new Set();
  const server = listenerOf(async (request, incoming) => {
    try {
      guard(request, hosts);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.warn("a request was refused", { reason: error.message, path: new URL(request.url).pathname });
      return secured(errorResponse(error));
    }
    return secured(await answer(request, "api", addressOf(incoming)));
  }, limits);
  const sockets = webSockets(server, "api", admit, (request) => guard(request, hosts));
  await listening(server, { host: hostname.replace(/^\[|\]$/g, ""), port });
  const bound = server.address();
  const actual = typeof bound === "object" && bound ? bound.port : port;
  hosts = loopbackHosts(actual, hostname.toLowerCase());
  return { address: `http://${hostname}:${actual}`, close: closer(server, sockets) };
}

/**
 * Listens on a UNIX socket that only its owner can open, and a group where there is a rule for one. Who connects is
 * told by the kernel; everybody else is hung up on. A socket file left by a process that is gone is replaced; one that
 * answers is not.
 *
 * @throws {Error} when another instance listens there
 */
export async function listenSocket(
  path: string,
  answer: Answer,
  admit?: Admit,
  rule?: SocketRule,
): Promise<Listener> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removeDeadSocket(path);
  const peers = socketPeers(rule);
  const server = listenerOf((request, { socket }) => answer(request, "socket", "", peers.of(socket)));
  // First of all: before anything of a request is read.
  server.prependListener("connection", peers.check);
  const sockets = webSockets(server, "socket", admit, () => {}, peers.of);
  // The mode must be right from the start, not a moment after.
  const umask = Deno.umask(0o177);
  try {
    await listening(server, { path });
  } finally {
    Deno.umask(umask);
  }
  if (rule !== undefined) await openToGroup(path, rule);
  return { address: path, close: closer(server, sockets) };
}

/** Lets a group's members through the folder to the socket. The folder is ours alone to list, still. */
async function openToGroup(path: string, { gid }: SocketRule): Promise<void> {
  const folder = dirname(path);
  const { mode, uid } = await Deno.stat(folder);
  // What stands open to others is not narrowed, and what is somebody else's is not touched.
  if (uid === Deno.uid() && (mode! & 0o011) === 0) {
    await Deno.chown(folder, null, gid);
    await Deno.chmod(folder, 0o710);
  }
  await Deno.chown(path, null, gid);
  await Deno.chmod(path, 0o660);
}

async function removeDeadSocket(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    // Connecting to a plain file is refused as well, and that is nobody's leftover.
    if (!(await Deno.lstat(path)).isSocket) throw new Error(`${path} is not a socket: it is left alone`);
    return await Deno.remove(path);
  }
  throw new Error(
    `another KVM Manager already listens on ${path}. Stop it first, or use another --runtime-dir`,
  );
}

function listening(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
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

/** Splits the address of a listener. @throws {Error} when it is no address, or not loopback */
export function loopbackAddress(at: string): { hostname: string; port: number } {
  const address = parseAddress(at);
  if (isLoopback(address.hostname)) return address;
  throw new Error(
    `refusing to listen on ${at}: without TLS passwords would go over the network in the clear. ` +
      "Use --listen 127.0.0.1:8440, and reach it from elsewhere through ssh -L 8440:127.0.0.1:8440",
  );
}

/** Splits `host:port`. @throws {Error} */
export function parseAddress(at: string): { hostname: string; port: number } {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s[\]/@]+):(\d{1,5})$/.exec(at);
  const port = Number(match?.[2]);
  if (!match || port > 65535) throw new Error(`${JSON.stringify(at)} is not an address like 127.0.0.1:8440`);
  return { hostname: match[1]!, port };
}
