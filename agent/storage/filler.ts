/** Small pieces gathered into large ones: one is filled while the other is written, in the same two buffers for ever. */

/** Bytes written at a time. */
export const PIECE_BYTES = 1024 * 1024;

/** What writes pieces: it takes a buffer, and gives it back when it is done. */
export interface Writer {
  give(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

export class Filler {
  readonly #writer: Writer;
  readonly #onWritten: (bytes: number) => void;
  #buffer = new Uint8Array(PIECE_BYTES);
  #used = 0;
  /** The other buffer, when what is in it was written. */
  #spare: Promise<Uint8Array<ArrayBuffer>> = Promise.resolve(new Uint8Array(PIECE_BYTES));

  /** @param onWritten is told how many bytes more were written */
  constructor(writer: Writer, onWritten: (bytes: number) => void = () => {}) {
    this.#writer = writer;
    this.#onWritten = onWritten;
  }

  /** Takes bytes in; waits while both buffers are full. @throws what the writer throws, for earlier bytes, too */
  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === PIECE_BYTES) await this.#write();
    }
  }

  /** Writes what is there, and waits until all is written. @throws what the writer throws */
  async flush(): Promise<void> {
    if (this.#used > 0) await this.#write();
    await this.#spare;
  }

  async #write(): Promise<void> {
    const other = await this.#spare;
    const full = this.#buffer.subarray(0, this.#used);
    const { length } = full;
    this.#buffer = other;
    this.#used = 0;
    this.#spare = this.#writer.give(full).then((back) => {
      this.#onWritten(length);
      return new Uint8Array(back.buffer);
    });
    this.#spare.catch(() => {/* thrown where it is awaited; meanwhile it is not unhandled */});
  }
}
