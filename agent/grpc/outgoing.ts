/** Messages of a call to its client, sent as fast as the client takes them. */
import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";

type WritingCall = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Bytes that may wait for the connection; from there on senders wait. */
const MOST_UNSENT = 512 * 1024;

/** Messages to the client of a call. */
export class OutgoingMessages {
  readonly #gone = new AbortController();
  #room: PromiseWithResolvers<boolean> | undefined;
  #unsent = 0;

  constructor(private readonly call: WritingCall) {
    const leave = () => {
      this.#gone.abort();
      this.#settle(false);
    };
    call.on("cancelled", leave);
    call.on("close", leave);
    call.on("error", leave);
    if (call.cancelled) leave();
  }

  /** Aborted once the client waits for no further message. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Bytes that the connection has not taken yet. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * Sends a message.
   *
   * @param onTaken called once its bytes are no longer needed
   * @returns true when more may be sent: at once, or later where the client does not keep up; false when it is gone
   */
  send(message: Buffer, onTaken?: () => void): Promise<boolean> {
    if (this.gone.aborted) {
      onTaken?.();
      return Promise.resolve(false);
    }
    this.#unsent += message.length;
    this.call.write(message, () => {
      this.#unsent -= message.length;
      onTaken?.();
      if (this.#unsent <= MOST_UNSENT) this.#settle(true);
    });
    if (this.#unsent <= MOST_UNSENT) return Promise.resolve(true);
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #settle(hasRoom: boolean): void {
    this.#room?.resolve(hasRoom);
    this.#room = undefined;
  }
}
