/**
 * WebSockets on our listeners: what consoles travel on. Bounded both ways: whoever sends to a peer waits while it does
 * not read, and a peer's own messages are read only as fast as they are taken. A peer that is gone without a word is
 * found by pings.
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { WebSocketServer } from "ws";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Door, SocketPeer } from "../access.ts";
import { log } from "../log.ts";
import { errorResponse, secured } from "./guard.ts";
import {
  type Farewell,
  WEBSOCKET_LIMITS,
  WebSocketConnection,
  type WebSocketLimits,
} from "./websocket_connection.ts";

/** Serves one peer from its arrival on; with its answer the socket is closed. */
export type PeerSession = (peer: WebSocketConnection) => Promise<Farewell>;

/**
 * Decides on a request for a WebSocket that passed the guard.
 *
 * @throws {ContractError} a refusal, which is the answer then
 */
export type Admit = (request: Request, door: Door, address: string, peer?: SocketPeer) => PeerSession;

/** RFC 6455, 7.4.1. */
const CODE = { goingAway: 1001, internal: 1011 } as const;
/** The WebSockets of one listener. */
export class WebSockets {
  readonly #limits: WebSocketLimits;
  readonly #server: WebSocketServer;
  readonly #peers = new Map<WebSocketConnection, Promise<void>>();
  #stopping = false;

  /**
   * @param check the listener's guard
   * @param limits other limits than the usual ones: tests shorten them
   */
  constructor(
    private readonly door: Door,
    private readonly check: (request: Request) => void,
    private readonly admit: Admit,
    limits: Partial<WebSocketLimits> = {},
    private readonly peerOf: (socket: Duplex) => SocketPeer | undefined = () => undefined,
  ) {
    this.#limits = { ...WEBSOCKET_LIMITS, ...limits };
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxPayload,
    });
  }

  /** How many there are now. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * Answers a request for a WebSocket: node:http's `upgrade`.
   *
   * @param arrive tells the client's address, and how it reached us
   * @param remember takes the request that was made of it
   */
  upgrade(
    incoming: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    arrive: () => string,
    remember: (request: Request) => void = () => {},
  ): void {
    socket.on("error", (error) => log.debug("a connection failed", { error }));
    let session: PeerSession;
    try {
      const address = arrive();
      const request = requestOf(incoming);
      remember(request);
      this.check(request);
      if (this.#stopping || this.#peers.size >= this.#limits.mostSockets) {
        throw new ContractError("TooManyRequests", { what: "consoles", limit: this.#limits.mostSockets });
      }
      session = this.admit(request, this.door, address, this.peerOf(socket));
    } catch (error) {
      return void refuse(socket, error);
    }
    this.#server.handleUpgrade(incoming, socket, head, (webSocket) => {
      const peer = new WebSocketConnection(webSocket, socket, this.#limits);
      this.#peers.set(peer, this.#serve(peer, session));
    });
  }

  /** Closes all, for good. */
  async close(): Promise<void> {
    this.#stopping = true;
    for (const peer of this.#peers.keys()) {
      peer.close({ code: CODE.goingAway, reason: "The server is stopping" }, this.#limits.stopping);
    }
    await Promise.all(this.#peers.values());
  }

  async #serve(peer: WebSocketConnection, session: PeerSession): Promise<void> {
    let farewell: Farewell = { code: CODE.internal, reason: "Something went wrong inside KVM Manager" };
    try {
      farewell = await session(peer);
    } catch (error) {
      log.error("a console failed unexpectedly", { error });
    }
    peer.close(farewell);
    if (!peer.gone.aborted) {
      await new Promise<void>((resolve) => peer.gone.addEventListener("abort", () => resolve()));
    }
    this.#peers.delete(peer);
  }
}

/** The request as the guard wants it. A header given twice becomes a value that no rule allows. */
function requestOf({ url = "", method, rawHeaders, socket }: IncomingMessage): Request {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  }
  if (method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket" || !/^\/|^https:/.test(url)) {
    throw new ContractError("InvalidInput", { reason: "this is no request for a WebSocket" });
  }
  try {
    return new Request(new URL(url, `${"encrypted" in socket ? "https" : "http"}://${headers.get("host")}`), {
      headers,
    });
  } catch (error) {
    throw new ContractError("InvalidInput", { reason: "the request has no valid Host" }, { cause: error });
  }
}

/** Answers on a connection that is no HTTP any more, and ends it. */
async function refuse(socket: Duplex, error: unknown): Promise<void> {
  const known = error instanceof ContractError;
  if (!known) log.error("a console could not be opened", { error });
  else log.warn("a WebSocket was refused", { reason: error.message });
  const response = secured(
    errorResponse(known ? error : new ContractError("Internal", undefined, { cause: error })),
  );
  const body = await response.text();
  const lines = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
    ...[...response.headers].map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
