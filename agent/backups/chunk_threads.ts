/** Names, compresses and unpacks chunks on threads of their own. Memory goes to them and back, and is never copied. */
import { AnsweringWorker } from "../../ffi/answering_worker.ts";
import { workerUrl } from "../../lib/bundle.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Work of a thread. */
export interface ToChunkWorker {
  /** `name` and `pack` take content; `unpack` takes what is packed, and names its content. */
  readonly work: "name" | "pack" | "unpack";
  readonly bytes: Bytes;
  /** Bytes that come out of `unpack` at most. */
  readonly most?: number;
  /** As {@link Codec.nameKey}. */
  readonly nameKey: Bytes | undefined;
}

export interface FromChunkWorker {
  /** The content, given back or unpacked. */
  readonly content?: Bytes;
  readonly name?: string;
  readonly packed?: Bytes;
  /** Why there is nothing. */
  readonly fault?: string;
}

/** Milliseconds for a chunk, which takes some; a machine may be busy. */
const CHUNK_MS = 120_000;
/** Threads (8 MB each): one gets half of what a disk gives. */
const THREADS = 2;

/** Packed content is no zstd, or larger than allowed. */
export class ZstdError extends Error {
  override readonly name = "ZstdError";
}

/** A thread is started when it is first needed. Disposing of them ends them. */
export class ChunkThreads implements Disposable {
  #threads: { readonly worker: AnsweringWorker<ToChunkWorker, FromChunkWorker>; under: number }[] = [];

  /** @param nameKey as {@link Codec.nameKey} */
  constructor(private readonly nameKey: Bytes | undefined) {}

  /** The name of content, which is given away and back. @throws {Error} when the thread is lost */
  async name(bytes: Bytes): Promise<{ readonly name: string; readonly content: Bytes }> {
    const { name, content } = await this.#ask({ work: "name", bytes, nameKey: this.nameKey });
    return { name: name!, content: content! };
  }

  /** Compresses content, which is given away and back. @throws {Error} when the thread is lost */
  async pack(bytes: Bytes): Promise<{ readonly packed: Bytes; readonly content: Bytes }> {
    const { packed, content } = await this.#ask({ work: "pack", bytes, nameKey: undefined });
    return { packed: packed!, content: content! };
  }

  /**
   * Unpacks and names what comes out; what is packed is given away.
   *
   * @param most bytes that come out
   * @throws {ZstdError} for what is damaged, or more @throws {Error} when the thread is lost
   */
  async unpack(bytes: Bytes, most: number): Promise<{ readonly name: string; readonly content: Bytes }> {
    const { name, content } = await this.#ask({ work: "unpack", bytes, most, nameKey: this.nameKey });
    return { name: name!, content: content! };
  }

  async #ask(message: ToChunkWorker): Promise<FromChunkWorker> {
    const { bytes } = message, thread = this.#idlest();
    // What is a part of other memory – of Node's pool, or a disk's last chunk – is copied after all.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    thread.under++;
    try {
      const answer = await thread.worker.ask(message, CHUNK_MS, isWhole ? [bytes.buffer] : []);
      if (answer.fault !== undefined) throw new ZstdError(answer.fault);
      return answer;
    } finally {
      thread.under--;
    }
  }

  /** The thread that has least to do; another one where all have something. */
  #idlest() {
    this.#threads = this.#threads.filter(({ worker }) => !worker.isOver);
    const idlest = this.#threads.toSorted((a, b) => a.under - b.under)[0];
    if (idlest !== undefined && (idlest.under === 0 || this.#threads.length === THREADS)) return idlest;
    const worker = new AnsweringWorker<ToChunkWorker, FromChunkWorker>(
      workerUrl("agent/backups/chunk_worker.ts"),
      "chunks",
      (_kind, reason) => new Error(`a thread that works on chunks was lost: ${reason}`),
    );
    const fresh = { worker, under: 0 };
    this.#threads.push(fresh);
    return fresh;
  }

  [Symbol.dispose](): void {
    for (const { worker } of this.#threads.splice(0)) worker.end();
  }
}
