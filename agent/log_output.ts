/**
 * Output of the log: stderr, which is a pipe or a socket to journald, and stops taking anything when that
 * hangs. Writing would then stop the whole process. So a line that stderr does not take at once waits here,
 * and with too many of them the next are dropped and counted.
 */
import { isDescriptorWritable, WRITABLE_BYTES } from "../ffi/writable.ts";

/** Bytes that wait at most. */
const MOST_WAITING = 1024 * 1024;
/** Milliseconds until what waits is tried again. */
const RETRY_MS = 100;

/** Target of the log's lines. */
export interface LineSink {
  /** Whether {@link WRITABLE_BYTES} are taken without waiting, now or within so many milliseconds. */
  isReady(ms: number): boolean;
  /** @returns number of bytes that were taken @throws if the reader is gone */
  write(bytes: Uint8Array): number;
}

/** The standard error stream of this process. */
export const STDERR: LineSink = {
  isReady: (ms) => isDescriptorWritable(2, ms),
  write: (bytes) => Deno.stderr.writeSync(bytes),
};

const encoder = new TextEncoder();

export class LineOutput {
  readonly #sink: LineSink;
  readonly #droppedLine: (count: number) => string;
  #lines: Uint8Array[] = [];
  #waiting = 0;
  #dropped = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** @param droppedLine the line that tells how many were dropped */
  constructor(sink: LineSink, droppedLine: (count: number) => string) {
    this.#sink = sink;
    this.#droppedLine = droppedLine;
  }

  /** Writes a line, behind those that wait: at once where that is possible. Lines come out in their order. */
  write(line: string): void {
    this.#drain();
    const bytes = encoder.encode(line);
    if (this.#waiting + bytes.length > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#tellDropped();
    this.#add(bytes);
    this.#drain();
  }

  /** Writes what waits, and waits so many milliseconds at most until it is taken. For the end of the process. */
  flush(ms: number): void {
    const limit = performance.now() + ms;
    this.#drain(() => Math.max(0, limit - performance.now()));
  }

  #add(bytes: Uint8Array): void {
    this.#lines.push(bytes);
    this.#waiting += bytes.length;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#add(encoder.encode(this.#droppedLine(this.#dropped)));
    this.#dropped = 0;
  }

  /** Writes as long as it is taken. @param patience milliseconds to wait for that */
  #drain(patience = () => 0): void {
    clearTimeout(this.#retry);
    for (;;) {
      if (this.#lines.length === 0) this.#tellDropped();
      const [line] = this.#lines;
      if (line === undefined) return;
      const count = this.#sink.isReady(patience()) ? this.#taken(line.subarray(0, WRITABLE_BYTES)) : 0;
      if (count === 0) return this.#tryLater();
      const isWhole = count >= line.length;
      this.#waiting -= Math.min(count, line.length);
      if (isWhole) this.#lines.shift();
      else this.#lines[0] = line.subarray(count);
    }
  }

  /** How many bytes are taken. All, where the reader is gone: that is no reason to fail what was to be told. */
  #taken(bytes: Uint8Array): number {
    try {
      return this.#sink.write(bytes);
    } catch (error) {
      return error instanceof Deno.errors.WouldBlock ? 0 : bytes.length;
    }
  }

  #tryLater(): void {
    this.#retry = setTimeout(() => this.#drain(), RETRY_MS);
    Deno.unrefTimer(this.#retry); // a process that has nothing else to do ends
  }
}
