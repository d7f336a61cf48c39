/** A stream as the body of an upload: what is read there is given piece by piece. */
import type { RequestBody } from "../dispatch.ts";

/** A body whose content comes from a stream. A stream that fails ends it early; `fault` has the reason. */
export class PieceSource implements RequestBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #taken: (bytes: Uint8Array) => Promise<void>;
  #waiting: ((reason: unknown) => void) | undefined;
  #isOver = false;
  #fault: unknown;

  /** @param taken is given each piece before it is handed on; the piece is not changed afterwards */
  constructor(stream: ReadableStream<Uint8Array>, taken: (bytes: Uint8Array) => Promise<void>) {
    this.#reader = stream.getReader();
    this.#taken = taken;
  }

  /** Why the stream ended early; undefined while it did not. */
  get fault(): unknown {
    return this.#fault;
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#isOver) return null;
    const interrupted = Promise.withResolvers<never>();
    this.#waiting = interrupted.reject;
    try {
      return await Promise.race([this.#read(), interrupted.promise]);
    } finally {
      this.#waiting = undefined;
      // Nothing waits for it any more
      interrupted.promise.catch(() => {});
    }
  }

  interrupt(reason: unknown): void {
    this.#isOver = true;
    this.#waiting?.(reason);
    this.#cancel(reason);
  }

  /** Ends the reading; for who gives the content up. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel(new Error("the content is not needed any more"));
  }

  async #read(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await this.#reader.read();
      if (done) {
        this.#isOver = true;
        return null;
      }
      // Its memory may be given back as soon as further pieces were read
      const bytes = value.slice();
      await this.#taken(bytes);
      return bytes;
    } catch (error) {
      if (!this.#isOver) this.#fault = error;
      this.#isOver = true;
      return null;
    }
  }

  #cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch((error) => this.#fault ??= error);
  }
}
