/** The other end of a WebSocket, bounded both ways: what is sent to it and not taken, what it sent and was not read. */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import { log } from "../log.ts";
import { frameInPlace } from "./frame.ts";

/** Limits of a WebSocket. Bytes and milliseconds. */
export const WEBSOCKET_LIMITS = {
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
export type WebSocketLimits = typeof WEBSOCKET_LIMITS;

/** Content of a message: bytes, or text as such. */
export type SocketMessage = Uint8Array | string;

/** Why a socket is closed: a code of RFC 6455 or one of CONSOLE_CLOSE, and words for people. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
}

/** The other end of a console, whatever carries it. */
export type ConsolePeer = Pick<
  WebSocketConnection,
  "gone" | "unsent" | "send" | "sendInPlace" | "messages" | "close"
>;

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
export class WebSocketConnection {
  readonly #socket: WebSocket;
  /** The connection below. */
  readonly #line: Duplex;
  readonly #limits: WebSocketLimits;
  readonly #gone = new AbortController();
  readonly #inbox: SocketMessage[] = [];
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

  /** Made by {@link WebSockets} (websocket.ts) alone. */
  constructor(socket: WebSocket, line: Duplex, limits: WebSocketLimits) {
    this.#socket = socket;
    this.#line = line;
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
  send(message: SocketMessage, onTaken?: () => void): Promise<boolean> {
    if (!this.#isOpen) return this.#refuse(onTaken);
    const size = typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
    return this.#handOver(
      size,
      (done) => this.#socket.send(message, { binary: typeof message !== "string" }, done),
      onTaken,
    );
  }

  /**
   * Sends bytes that lie in their buffer behind {@link FRAME_HEAD} free ones: nothing is copied on the way to the
   * system. What carries floods uses it; otherwise like {@link send}.
   *
   * @param length bytes of payload
   */
  sendInPlace(buffer: Uint8Array<ArrayBuffer>, length: number, onTaken?: () => void): Promise<boolean> {
    if (!this.#isOpen) return this.#refuse(onTaken);
    // Between frames of ws: it writes each of its own at once and whole, for nothing here is compressed.
    return this.#handOver(length, (done) => this.#line.write(frameInPlace(buffer, length), done), onTaken);
  }

  /** A socket whose connection broke is not open any more, well before it is closed. */
  get #isOpen(): boolean {
    return !this.#closing && this.#socket.readyState === this.#socket.OPEN;
  }

  #refuse(onTaken: (() => void) | undefined): Promise<boolean> {
    onTaken?.();
    return NO;
  }

  #handOver(
    size: number,
    write: (done: (error?: Error | null) => void) => void,
    onTaken: (() => void) | undefined,
  ): Promise<boolean> {
    this.#unsent += size;
    write((error) => {
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
  async *messages(): AsyncGenerator<SocketMessage, void, undefined> {
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
