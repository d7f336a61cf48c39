/**
 * WebSockets on our listeners: what consoles travel on. Bounded both ways: whoever sends to a peer waits while it does
 * not read, and a peer's own messages are read only as fast as they are taken. A peer that is gone without a word is
 * found by pings.
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Door } from "../access.ts";
import { log } from "../log.ts";
import { errorResponse, secured } from "./guard.ts";

/** Limits of a WebSocket. Bytes and milliseconds. */
const LIMITS = {
  /** Sockets of a listener at once; more are refused. */
  mostSockets: 128,
  /** A larger message closes the socket. */
  maxPayload: 1024 * 1024,
  /** Bytes sent and not yet taken by the system; from there on senders wait. */
  unsent: 512 * 1024,
  /** Bytes received and not yet taken; from there on nothing is read. */
  unread: 64 * 1024,
  /** A peer that gives no sign of life for one to two such whiles is dead. */
  pingEvery: 20_000,
  /** How long a peer may take to say goodbye. */
  closing: 2000,
  /** … when the server stops. */
  stopping: 500,
};
export type WebSocketLimits = typeof LIMITS;

/** What a message carries: bytes, or text as such. */
export type Message = Uint8Array | string;

/** Why a socket is closed: a code of RFC 6455 or one of CONSOLE_CLOSE, and words for people. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
}

/** Serves one peer from its arrival on; with its answer the socket is closed. */
export type Session = (peer: Peer) => Promise<Farewell>;

/**
 * Decides on a request for a WebSocket that passed the guard.
 *
 * @throws {ContractError} which is the answer then
 */
export type Admit = (request: Request, door: Door) => Session;

/** RFC 6455, 7.4.1. */
const CODE = { goingAway: 1001, internal: 1011 } as const;
/** RFC 6455, 5.5: a control frame's 125 bytes without the code's two. */
const LONGEST_REASON = 123;

/** A reason that fits, cut between characters. */
function fitting(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > LONGEST_REASON) text = [...text].slice(0, -1).join("");
  return text;
}

const YES = Promise.resolve(true);
const NO = Promise.resolve(false);

/** The other end of a WebSocket. */
export class Peer {
  readonly #socket: WebSocket;
  readonly #limits: WebSocketLimits;
  readonly #gone = new AbortController();
  readonly #inbox: Message[] = [];
  #unread = 0;
  #unsent = 0;
  #closing = false;
  #isAlive = true;
  /** Resolved when there is room to send again. */
  #room: PromiseWithResolvers<boolean> | undefined;
  /** Resolved when a message came, or the peer went. */
  #arrival: PromiseWithResolvers<void> | undefined;
  readonly #ping: ReturnType<typeof setInterval>;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds given for the goodbye; nothing while there is none. */
  #within = Infinity;

  /** Made by {@link WebSockets} alone. */
  constructor(socket: WebSocket, limits: WebSocketLimits) {
    this.#socket = socket;
    this.#limits = limits;
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => this.#isAlive = true);
    socket.on("close", () => this.#onClose());
    // Broken frames, a message that is too large: ws closes the socket with the right code by itself.
    socket.on("error", (error) => log.debug("a WebSocket failed", { error }));
    this.#ping = setInterval(() => this.#checkLife(), limits.pingEvery);
  }

  /** Aborted once the peer is gone, for whatever reason. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Bytes handed over that the system has not taken yet. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * Sends a message. The bytes must not be changed afterwards.
   *
   * @param onTaken called when the bytes are no longer needed
   * @returns true when more may be sent – at once, or later when the peer does not keep up; false when it is gone
   */
  send(message: Message, onTaken?: () => void): Promise<boolean> {
    // A socket whose connection broke is not open any more, well before it is closed.
    if (this.#closing || this.#socket.readyState !== this.#socket.OPEN) {
      onTaken?.();
      return NO;
    }
    const size = typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
    this.#unsent += size;
    this.#socket.send(message, { binary: typeof message !== "string" }, (error) => {
      this.#isAlive = true;
      this.#unsent -= size;
      onTaken?.();
      if (error) this.#settleRoom(false);
      else if (this.#unsent <= this.#limits.unsent) this.#settleRoom(true);
    });
    if (this.#unsent <= this.#limits.unsent) return YES;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** The peer's messages, in order, until it is gone or being closed. For one reader. */
  async *messages(): AsyncGenerator<Message, void, undefined> {
    while (!this.#closing) {
      const message = this.#inbox.shift();
      if (message === undefined) {
        if (this.gone.aborted) return;
        this.#arrival = Promise.withResolvers();
        await this.#arrival.promise;
        continue;
      }
      this.#unread -= message.length;
      if (this.#unread <= this.#limits.unread && this.#socket.isPaused) this.#socket.resume();
      yield message;
    }
  }

  /** Says goodbye, once, and cuts the line when the peer does not answer that in time. */
  close({ code, reason }: Farewell, within = this.#limits.closing): void {
    if (this.gone.aborted || within >= this.#within) return;
    this.#within = within;
    if (!this.#closing) {
      this.#closing = true;
      this.#inbox.length = this.#unread = 0;
      this.#settleRoom(false);
      this.#arrival?.resolve();
      // The peer's goodbye must be read.
      if (this.#socket.isPaused) this.#socket.resume();
      this.#socket.close(code, fitting(reason));
    }
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#socket.terminate(), within);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    if (this.#closing) return;
    // One Buffer: the server's binaryType is left at "nodebuffer".
    const bytes = data as Buffer;
    const message = isBinary ? bytes : bytes.toString();
    this.#inbox.push(message);
    this.#unread += message.length;
    if (this.#unread > this.#limits.unread) this.#socket.pause();
    this.#arrival?.resolve();
  }

  #onClose(): void {
    clearInterval(this.#ping);
    clearTimeout(this.#deadline);
    this.#gone.abort();
    this.#settleRoom(false);
    this.#arrival?.resolve();
  }

  #settleRoom(hasRoom: boolean): void {
    this.#room?.resolve(hasRoom);
    this.#room = undefined;
  }

  #checkLife(): void {
    // While we do not read, its pongs cannot be seen.
    if (this.#socket.isPaused) return;
    if (!this.#isAlive) return this.#socket.terminate();
    this.#isAlive = false;
    this.#socket.ping();
  }
}

/** The WebSockets of one listener. */
export class WebSockets {
  readonly #limits: WebSocketLimits;
  readonly #server: WebSocketServer;
  readonly #peers = new Map<Peer, Promise<void>>();
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
  ) {
    this.#limits = { ...LIMITS, ...limits };
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

  /** Answers a request for a WebSocket: node:http's `upgrade`. */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", (error) => log.debug("a connection failed", { error }));
    let session: Session;
    try {
      const request = requestOf(incoming);
      this.check(request);
      if (this.#stopping || this.#peers.size >= this.#limits.mostSockets) {
        throw new ContractError("TooManyRequests", { what: "consoles", limit: this.#limits.mostSockets });
      }
      session = this.admit(request, this.door);
    } catch (error) {
      return void refuse(socket, error);
    }
    this.#server.handleUpgrade(incoming, socket, head, (webSocket) => {
      const peer = new Peer(webSocket, this.#limits);
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

  async #serve(peer: Peer, session: Session): Promise<void> {
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
function requestOf({ url = "", method, rawHeaders }: IncomingMessage): Request {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  }
  if (method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket" || !url.startsWith("/")) {
    throw new ContractError("InvalidInput", { reason: "this is no request for a WebSocket" });
  }
  try {
    return new Request(new URL(url, `http://${headers.get("host")}`), { headers });
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
