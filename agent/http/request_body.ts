/**
 * Content of any size as it arrives: node's own pieces, taken as they come. The web stream around a request's body costs
 * more time than everything else that is done to an upload.
 */
import type { IncomingMessage } from "node:http";
import type { RequestBody } from "../dispatch.ts";

/** Pieces that may wait to be taken before the client is slowed down. */
const MOST_WAITING = 16;

/** The bodies that node's server reads, by the request that was made of each. */
const bodies = new WeakMap<Request, IncomingMessage>();

/** Remembers which body belongs to a request. */
export function rememberBody(request: Request, incoming: IncomingMessage): void {
  bodies.set(request, incoming);
}

/** The body of a request, to be read once; undefined for one that no listener has taken. */
export function requestBody(request: Request): RequestBody | undefined {
  const incoming = bodies.get(request);
  return incoming && new ArrivingBody(incoming);
}

class ArrivingBody implements RequestBody {
  readonly #source: IncomingMessage;
  readonly #pieces: Uint8Array[] = [];
  #waiting: PromiseWithResolvers<Uint8Array | null> | undefined;
  #isOver = false;

  constructor(source: IncomingMessage) {
    this.#source = source;
    const over = () => {
      this.#isOver = true;
      this.#settle(null);
    };
    // A body that breaks off closes without an end, with an error or without one.
    source.on("data", (piece: Uint8Array) => this.#take(piece)).on("end", over).on("close", over).on(
      "error",
      over,
    );
  }

  next(): Promise<Uint8Array | null> {
    const piece = this.#pieces.shift();
    if (this.#pieces.length === 0 && !this.#isOver) this.#source.resume();
    if (piece !== undefined) return Promise.resolve(piece);
    if (this.#isOver) return Promise.resolve(null);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  interrupt(reason: unknown): void {
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  #take(piece: Uint8Array): void {
    if (this.#waiting) return this.#settle(piece);
    this.#pieces.push(piece);
    if (this.#pieces.length >= MOST_WAITING) this.#source.pause();
  }

  #settle(piece: Uint8Array | null): void {
    this.#waiting?.resolve(piece);
    this.#waiting = undefined;
  }
}
