/**
 * Listeners of gRPC: HTTP/2 on addresses of its own, with TLS by the web server's certificate, or in the
 * clear on loopback; and a UNIX socket next to the API's. The modules of gRPC are loaded with the first
 * connection.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { join } from "node:path";
import type { Metadata } from "@grpc/grpc-js";
import { parseListen } from "../../lib/network/listen_address.ts";
import type { SocketPeer } from "../access.ts";
import { peerAddress } from "../http/address.ts";
import { Connections } from "../http/connections.ts";
import { LIMITS, type Listener } from "../http/listener.ts";
import type { ProxyHeaders } from "../http/proxy_headers.ts";
import { boundOn, makeSocket } from "../http/server.ts";
import { socketPeers, type SocketRule } from "../http/socket_peers.ts";
import { propagateBackpressure } from "../outbound/tls_backpressure.ts";
import { log } from "../log.ts";
import type { Certificates } from "../system/certificate/certificates.ts";
import type { Origin } from "./callers.ts";
import type { GrpcConnections, GrpcServer } from "./server.ts";

/** The socket's file in the runtime folder. */
export const GRPC_SOCKET = "grpc.sock";
/** Value of `--grpc-listen` for the UNIX socket alone. */
export const SOCKET_ALONE = "socket";

/** Addresses and certificate of gRPC, and the loader of its server. */
export interface GrpcListenerOptions {
  /** `host:port`, or {@link SOCKET_ALONE}. */
  readonly addresses: readonly string[];
  readonly runtimeDir: string;
  readonly rule: SocketRule | undefined;
  readonly certificates: Certificates | undefined;
  readonly arrivals: ProxyHeaders;
  /** Loads the server. @param originOf origin of a connection */
  readonly load: (originOf: OriginOf) => Promise<GrpcServer>;
}

/** Origin of a connection, by its other end. */
export type OriginOf = (end: string, metadata: Metadata, authority: string) => Omit<Origin, "peer">;

/** An open connection of TCP. */
interface Connection {
  readonly socket: Socket;
  readonly connections: Connections;
}

/** The other end as grpc-js names it. */
const endOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress}:${remotePort}`;

/** Opens them: all or none. @throws {Error} saying which cannot be listened on */
export async function listenGrpc(options: GrpcListenerOptions): Promise<Listener[]> {
  const opened: Listener[] = [];
  const service = new GrpcService(options);
  try {
    for (const at of options.addresses) {
      if (at !== SOCKET_ALONE) opened.push(await service.listenTcp(at));
    }
    opened.push(await service.listenSocket());
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close()));
    throw error;
  }
  return opened;
}

class GrpcService {
  #server: Promise<GrpcServer> | undefined;
  /** Those on TCP, by their other end. */
  readonly #byEnd = new Map<string, Connection>();

  constructor(private readonly options: GrpcListenerOptions) {}

  /** @throws {Error} */
  async listenTcp(at: string): Promise<Listener> {
    const { certificates, arrivals } = this.options;
    const { secure, hostname, port } = parseListen(at);
    if (secure && certificates === undefined) throw new Error(`there is no certificate for ${at}`);
    const connections = new Connections(), taken = new Set<GrpcConnections>();
    const serve = this.#serving(undefined, taken);
    const admit = (socket: Socket) => {
      socket.on("error", (error) => log.debug("a connection failed", { error }));
      if (!connections.admit(socket, { isProxy: arrivals.isProxy(peerAddress({ socket })) })) return false;
      const end = endOf(socket);
      this.#byEnd.set(end, { socket, connections });
      socket.once("close", () => this.#byEnd.delete(end));
      return true;
    };
    const server = secure ? tlsServer(certificates!, admit, serve) : createServer((socket) => {
      if (admit(socket)) void serve(socket);
    });
    const actual = await boundOn(server, { host: hostname.replace(/^\[|\]$/g, ""), port });
    return {
      address: `${secure ? "grpcs" : "grpc"}://${hostname}:${actual}`,
      close: closing(server, connections, taken),
    };
  }

  /** The UNIX socket: who is at it the kernel tells. @throws {Error} when another instance listens there */
  async listenSocket(): Promise<Listener> {
    const { runtimeDir, rule } = this.options, path = join(runtimeDir, GRPC_SOCKET);
    const peers = socketPeers(rule), connections = new Connections();
    const taken = new Set<GrpcConnections>();
    const byUser = new Map<string, (connection: Socket) => Promise<void>>();
    const server = createServer((socket) => {
      socket.on("error", (error) => log.debug("a connection failed", { error }));
      const peer = peers.check(socket);
      if (peer === undefined || !connections.admit(socket, peer)) return;
      const key = `${peer.uid} ${peer.name} ${peer.role}`,
        serve = byUser.get(key) ?? this.#serving(peer, taken);
      byUser.set(key, serve);
      void serve(socket);
    });
    await makeSocket(path, rule, () => boundOn(server, { path }));
    return { address: path, close: closing(server, connections, taken) };
  }

  /** Hands connections on once what serves them is loaded. */
  #serving(peer: SocketPeer | undefined, taken: Set<GrpcConnections>): (connection: Socket) => Promise<void> {
    let made: Promise<GrpcConnections> | undefined;
    const load = async () => {
      this.#server ??= this.options.load((...from) => this.#originOf(...from));
      const connections = (await this.#server).connections(peer);
      taken.add(connections);
      return connections;
    };
    return async (connection) => {
      try {
        const { inject } = await (made ??= load());
        if (!connection.destroyed) inject(connection);
      } catch (error) {
        made = undefined;
        log.error("gRPC cannot be served", { error });
        connection.destroy();
      }
    };
  }

  readonly #originOf: OriginOf = (end, metadata, authority) => {
    const known = this.#byEnd.get(end);
    if (known === undefined) return { address: "unknown", remember: () => {} };
    const { socket, connections } = known, headers: Record<string, string> = { host: authority };
    for (const name of ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]) {
      const [value] = metadata.get(name);
      if (typeof value === "string") headers[name] = value;
    }
    const incoming = { url: "/", headers, rawHeaders: [], socket };
    return {
      address: this.options.arrivals.arrive(incoming),
      remember: (request) => connections.remember(request, { socket }),
    };
  };
}

/** Versions below are broken (RFC 8996). */
const TLS = { minVersion: "TLSv1.2", ALPNProtocols: ["h2"] } as const;

function tlsServer(
  certificates: Certificates,
  admit: (socket: Socket) => boolean,
  serve: (connection: Socket) => Promise<void>,
): Server {
  const pair = () => ({ cert: certificates.pair.cert, key: certificates.pair.key });
  const server = createTlsServer({ ...TLS, ...pair(), handshakeTimeout: LIMITS.handshakeTimeout });
  certificates.onChange(() => server.setSecureContext({ ...TLS, ...pair() }));
  server.on("connection", admit);
  server.on("tlsClientError", (error, connection: TLSSocket) => {
    log.debug("a TLS client was refused", { error });
    connection.destroy();
  });
  server.on("secureConnection", (connection) => {
    connection.on("error", (error) => log.debug("a connection failed", { error }));
    // gRPC is HTTP/2 alone
    if (connection.alpnProtocol !== "h2") return void connection.destroy();
    if (!propagateBackpressure(connection)) {
      log.warn("a TLS connection cannot be slowed down: it may fill the memory");
    }
    void serve(connection);
  });
  return server;
}

/** Returns a function that stops a listener: its listening, and all open connections. */
function closing(server: Server, connections: Connections, taken: ReadonlySet<GrpcConnections>) {
  return async () => {
    connections.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const each of taken) each.close();
    connections.cutAll();
    await promise;
  };
}
