/**
 * Small pieces gathered into large ones, in memory that several threads share: some are written while the next is
 * filled, in the same few buffers for ever, so that nothing waits for the garbage collector.
 */

/** Bytes written at a time, and buffers of that size. */
export const PIECE_BYTES = 1024 * 1024;
const BUFFERS = 8;

/** Takes pieces, in order; a piece's memory may change once its promise is resolved. */
export interface Writer {
  give(bytes: Uint8Array<SharedArrayBuffer>): Promise<void>;
}

interface Buffer {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** When all have taken what was in it. */
  taken: Promise<void>;
}

export class ChunkWriter {
  readonly #writers: readonly Writer[];
  readonly #onWritten: (bytes: number) => void;
  readonly #buffers: readonly Buffer[] = Array.from({ length: BUFFERS }, () => ({
    bytes: new Uint8Array(new SharedArrayBuffer(PIECE_BYTES)),
    taken: Promise.resolve(),
  }));
  /** The buffer that is filled, and how far. */
  #at = 0;
  #used = 0;

  /**
   * @param writers each of them gets every piece
   * @param onWritten is told how many bytes more all of them have taken
   */
  constructor(writers: readonly Writer[], onWritten: (bytes: number) => void = () => {}) {
    this.#writers = writers;
    this.#onWritten = onWritten;
  }

  /** Takes bytes in; waits while all buffers are full. @throws errors of the writer, also those of earlier bytes */
  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const buffer = this.#buffers[this.#at]!;
      if (this.#used === 0) await buffer.taken;
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#used);
      buffer.bytes.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === PIECE_BYTES) this.#write(buffer);
    }
  }

  /** Writes the rest, and waits until all of it is taken. @throws errors of the writer */
  async flush(): Promise<void> {
    if (this.#used > 0) this.#write(this.#buffers[this.#at]!);
    await Promise.all(this.#buffers.map(({ taken }) => taken));
  }

  #write(buffer: Buffer): void {
    const piece = buffer.bytes.subarray(0, this.#used);
    buffer.taken = Promise.all(this.#writers.map((writer) => writer.give(piece)))
      .then(() => this.#onWritten(piece.length));
    buffer.taken.catch(() => {/* thrown where it is awaited; meanwhile it is not unhandled */});
    this.#at = (this.#at + 1) % BUFFERS;
    this.#used = 0;
  }
}
