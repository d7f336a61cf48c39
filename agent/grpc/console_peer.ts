/** A console on a call: the client's messages are what is typed, ours are what the VM sends. */
import { FRAME_HEAD } from "../http/frame.ts";
import {
  type ConsolePeer,
  type Farewell,
  type SocketMessage,
  WEBSOCKET_LIMITS,
} from "../http/websocket_connection.ts";
import type { Buffer } from "node:buffer";
import type { Incoming } from "./incoming.ts";
import type { OutgoingMessages } from "./outgoing.ts";
import { CONSOLE_CLOSE } from "../../lib/contract/console_close.ts";
import { ContractError } from "../../lib/contract/errors.ts";

/** How bytes are messages, and messages bytes. */
export interface ConsoleMessages {
  /** @returns the input of a message @throws for an invalid message */
  typed(message: Uint8Array): Uint8Array;
  shown(bytes: Uint8Array): Buffer;
}

export class GrpcConsolePeer implements ConsolePeer {
  readonly #gone = new AbortController();
  readonly #closed = Promise.withResolvers<Farewell>();
  #isClosing = false;
  #failure: unknown;

  constructor(
    private readonly incoming: Incoming,
    private readonly outgoing: OutgoingMessages,
    private readonly as: ConsoleMessages,
    /** Input of the first message. */
    private readonly early: Uint8Array,
  ) {
    const leave = () => {
      this.#gone.abort();
      this.incoming.discard();
    };
    if (outgoing.gone.aborted) leave();
    else outgoing.gone.addEventListener("abort", leave, { once: true });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get unsent(): number {
    return this.outgoing.unsent;
  }

  /** Why the client's messages could not be read; undefined where they could. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Reason why the other side closed it: a session that ended, a VM that stopped. */
  get closed(): Promise<Farewell> {
    return this.#closed.promise;
  }

  async send(message: SocketMessage, onTaken?: () => void): Promise<boolean> {
    if (this.#isClosing || typeof message === "string") {
      onTaken?.();
      return !this.#isClosing;
    }
    const room = this.outgoing.send(this.as.shown(message), onTaken);
    return this.outgoing.unsent <= WEBSOCKET_LIMITS.unsent ? !this.gone.aborted : await room;
  }

  sendInPlace(buffer: Uint8Array<ArrayBuffer>, length: number, onTaken?: () => void): Promise<boolean> {
    return this.send(buffer.subarray(FRAME_HEAD, FRAME_HEAD + length), onTaken);
  }

  async *messages(): AsyncGenerator<SocketMessage, void, undefined> {
    if (this.early.length > 0) yield this.early;
    while (!this.#isClosing) {
      const message = await this.incoming.next();
      if (message === null || this.#isClosing) return;
      let typed: Uint8Array;
      try {
        typed = this.as.typed(message);
      } catch (error) {
        this.#failure = error;
        return;
      }
      if (typed.length > 0) yield typed;
    }
  }

  close(farewell: Farewell): void {
    this.#isClosing = true;
    this.incoming.discard();
    this.#closed.resolve(farewell);
  }
}

/** @throws {ContractError} why a console ended that its client has not ended */
export function requireDone({ code, reason }: Farewell): void {
  if (code === CONSOLE_CLOSE.done) return;
  if (code === CONSOLE_CLOSE.vmStopped) throw new ContractError("VmNotRunning");
  if (code === CONSOLE_CLOSE.revoked) throw new ContractError("NotSignedIn");
  throw new ContractError("ConsoleEnded", { reason });
}
