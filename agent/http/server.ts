/** The listeners: TCP for people, a UNIX socket for root's command line. */
import type { IncomingMessage } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Server as NetServer, Socket } from "node:net";
import { dirname } from "node:path";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Certificates } from "../system/certificate/certificates.ts";
import { log } from "../log.ts";
import type { Hsts } from "../settings.ts";
import { peerAddress } from "./address.ts";
import { ProxyHeaders } from "./proxy_headers.ts";
import { guard, type Hosts, refusalResponse, secured } from "./guard.ts";
import { compressResponse } from "./compress.ts";
import { Connections } from "./connections.ts";
import { clientSubnet, isShared, Rate, REQUEST_RATE } from "../limits.ts";
import { isAnyAddress, parseListen } from "../../lib/network/listen_address.ts";
import {
  type Answer,
  closer,
  LIMITS,
  type Listener,
  type ListenerLimits,
  listenerOf,
  listening,
  webSockets,
} from "./listener.ts";
import { HostNames, loopbackNames } from "./names.ts";
import { socketPeers, type SocketRule } from "./socket_peers.ts";
import { plainHttpGuard } from "./plain_http_guard.ts";
import type { Admit } from "./websocket.ts";

export type { Answer, Listener, ListenerLimits } from "./listener.ts";

/** How a listener on TCP differs from the usual one. */
export interface TcpOptions {
  /** Other limits than the usual ones: tests shorten them. */
  readonly limits?: Partial<ListenerLimits>;
  /** Serves WebSockets; without it there are none. */
  readonly admit?: Admit | undefined;
  /** For the addresses with TLS. */
  readonly certificates?: Certificates | undefined;
  readonly hsts?: Hsts;
  /** Further host names it answers for. */
  readonly hostNames?: readonly string[];
  /** The proxies in front of it. */
  readonly arrivals?: ProxyHeaders;
  /** Path below which the proxies serve it. */
  readonly base?: string;
  /** Counts requests of addresses; of all listeners together. */
  readonly rate?: Rate;
}

/** Seconds for which browsers remember to come by TLS alone. */
const HSTS_SECONDS = 365 * 24 * 3600;

/** The headers that an answer's way asks for. */
function headersFor({ certificates, hsts = "auto" }: TcpOptions, secure: boolean) {
  // A self-signed certificate will be replaced some day, and by then browsers must not insist on it.
  const vouchedFor = () => certificates !== undefined && !certificates.pair.facts.selfSigned;
  return ({ url }: Request): Record<string, string> =>
    url.startsWith("https:") && (hsts === "on" || (hsts === "auto" && secure && vouchedFor()))
      ? { "strict-transport-security": `max-age=${HSTS_SECONDS}` }
      : {};
}

/** A redirect to a path of ours, as whoever is in front of the proxy must follow it. */
function based(response: Response, base: string): Response {
  const to = base === "" ? null : response.headers.get("location");
  if (to?.startsWith("/")) response.headers.set("location", base + to);
  return response;
}

/**
 * Listens on TCP: with TLS, or in the clear on loopback.
 *
 * @param at `127.0.0.1:8440`; port 0 takes a free one
 * @throws {Error} when it is no address to listen on, or cannot be listened on
 */
export async function listenTcp(at: string, answer: Answer, options: TcpOptions = {}): Promise<Listener> {
  const { limits, admit, certificates, hostNames = [], arrivals = new ProxyHeaders(), base = "" } = options;
  const { rate = new Rate() } = options;
  const { secure, hostname, port } = parseListen(at);
  if (secure && certificates === undefined) throw new Error(`there is no certificate for ${at}`);
  let hosts: Hosts = new Set<string>();
  const own = { has: (host: string) => hosts.has(host) };
  const more = headersFor(options, secure);
  const arrive = (incoming: IncomingMessage) => arrivals.arrive(incoming);
  const check = (request: Request, address: string) => {
    guard(request, own);
    if (!isShared(address) && !rate.take(clientSubnet(address))) {
      throw new ContractError("TooManyRequests", {
        what: "requests of this address",
        limit: `${REQUEST_RATE.perSecond} a second`,
      });
    }
  };
  const connections = new Connections();
  const server = listenerOf(
    async (request, address) => {
      try {
        check(request, address);
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        // Whoever sends floods shall not flood the log.
        const level = error.code === "TooManyRequests" ? "debug" : "warn";
        log[level]("a request was refused", { reason: error.message, path: new URL(request.url).pathname });
        return secured(refusalResponse(error, request), more(request));
      }
      const answered = based(secured(await answer(request, "api", address), more(request)), base);
      return await compressResponse(request, answered);
    },
    arrive,
    connections,
    limits,
    secure ? certificates : undefined,
  );
  const sockets = webSockets(server, "api", admit, arrive, connections, (request) => guard(request, own));
  const admits = (socket: Socket) =>
    connections.admit(socket, { isProxy: arrivals.isProxy(peerAddress({ socket })) });
  const plain = secure
    ? plainHttpGuard(server as TlsServer, own, limits?.handshakeTimeout ?? LIMITS.handshakeTimeout, admits)
    : undefined;
  if (!secure) server.on("connection", admits);
  const actual = await boundOn(server, { host: hostname.replace(/^\[|\]$/g, ""), port });
  const name = hostname.toLowerCase();
  hosts = secure ? new HostNames(actual, [...hostNames, name]) : loopbackNames(actual, name, hostNames);
  const shown = isAnyAddress(hostname) ? Deno.hostname().toLowerCase() : hostname;
  return {
    address: `${secure ? "https" : "http"}://${shown}:${actual}`,
    close: closer(server, connections, sockets, plain),
  };
}

/** Begins to listen. @returns the port; 0 of a UNIX socket @throws {Error} saying what to do when that is not possible */
export async function boundOn(server: NetServer, where: Parameters<typeof listening>[1]): Promise<number> {
  await listening(server, where);
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
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
  const fromHere = () => "";
  const peers = socketPeers(rule);
  const connections = new Connections();
  const server = listenerOf(
    (request, _address, { socket }) => answer(request, "socket", "", peers.of(socket)),
    fromHere,
    connections,
  );
  // First of all: before anything of a request is read.
  server.prependListener("connection", (socket) => {
    const peer = peers.check(socket);
    if (peer !== undefined) connections.admit(socket, peer);
  });
  const sockets = webSockets(server, "socket", admit, fromHere, connections, () => {}, peers.of);
  await makeSocket(path, rule, () => listening(server, { path }));
  return { address: path, close: closer(server, connections, sockets) };
}

/**
 * Makes a UNIX socket's file: its owner's alone, and a group's where there is a rule for one.
 *
 * @param listen begins to listen there
 * @throws {Error} when another instance listens there
 */
export async function makeSocket(
  path: string,
  rule: SocketRule | undefined,
  listen: () => Promise<unknown>,
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removeDeadSocket(path);
  // The mode must be right from the start, not a moment after.
  const umask = Deno.umask(0o177);
  try {
    await listen();
  } finally {
    Deno.umask(umask);
  }
  if (rule !== undefined) await openToGroup(path, rule);
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
    // Connecting to a plain file is refused as well, and that is not left over from a server.
    if (!(await Deno.lstat(path)).isSocket) throw new Error(`${path} is not a socket: it is left alone`);
    return await Deno.remove(path);
  }
  throw new Error(
    `another KVM Manager already listens on ${path}. Stop it first, or use another --runtime-dir`,
  );
}
