/** What a client sends piece by piece: read as fast as it is taken. */
import type { ServerDuplexStream, ServerReadableStream } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";

type ReadingCall = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Messages that may wait to be taken before the client is slowed down. */
const MOST_WAITING = 4;

/** Messages of the client of a call; for one reader. */
export class Incoming {
  readonly #messages: Buffer[] = [];
  #waiting: PromiseWithResolvers<Buffer | null> | undefined;
  #isOver = false;

  constructor(private readonly call: ReadingCall) {
    const over = () => {
      this.#isOver = true;
      if (this.#messages.length === 0) this.#settle(null);
    };
    call.on("data", (message: Buffer) => this.#take(message));
    for (const event of ["end", "close", "error", "cancelled"] as const) call.on(event, over);
  }

  /** The next message; null at the end, and when it breaks off. */
  next(): Promise<Buffer | null> {
    const message = this.#messages.shift();
    if (this.#messages.length < MOST_WAITING && !this.#isOver) this.call.resume();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#isOver) return Promise.resolve(null);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Has the message that is waited for fail. */
  interrupt(reason: unknown): void {
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  /** Nothing more is read: what still comes is thrown away. */
  end(): void {
    this.#isOver = true;
    this.#messages.length = 0;
    this.call.resume();
    this.#settle(null);
  }

  #take(message: Buffer): void {
    if (this.#waiting) return this.#settle(message);
    if (this.#isOver) return;
    this.#messages.push(message);
    if (this.#messages.length >= MOST_WAITING) this.call.pause();
  }

  #settle(message: Buffer | null): void {
    this.#waiting?.resolve(message);
    this.#waiting = undefined;
  }
}
