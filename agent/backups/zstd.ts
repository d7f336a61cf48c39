/** zstd (RFC 8878) on a thread of its own. */
import { AnsweringWorker } from "../../ffi/answering_worker.ts";
import { workerUrl } from "../../lib/bundle.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is to be compressed; or what is to be unpacked, and to how many bytes at most. */
export interface ToZstdWorker {
  readonly content?: Bytes;
  readonly packed?: Bytes;
  readonly most?: number;
}

export interface FromZstdWorker {
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** Why there are none. */
  readonly fault?: string;
}

/** Milliseconds for a chunk, which takes some; a machine may be busy. */
const CHUNK_MS = 120_000;

/** What was unpacked is no zstd, or more than it should be. */
export class ZstdError extends Error {
  override readonly name = "ZstdError";
}

/** The thread (8 MB) is started when it is first needed. Disposing of it ends it. */
export class Zstd implements Disposable {
  #worker: AnsweringWorker<ToZstdWorker, FromZstdWorker> | undefined;

  /** @throws {Error} when the thread is lost */
  async compress(content: Bytes): Promise<Bytes> {
    return await this.#ask({ content });
  }

  /**
   * Unpacks; the memory of what is packed is given away.
   *
   * @param most bytes that come out
   * @throws {ZstdError} for what is damaged, or more @throws {Error} when the thread is lost
   */
  async decompress(packed: Bytes, most: number): Promise<Bytes> {
    return await this.#ask(
      { packed, most },
      packed.byteLength === packed.buffer.byteLength ? [packed.buffer] : [],
    );
  }

  async #ask(message: ToZstdWorker, transfer: readonly ArrayBuffer[] = []): Promise<Bytes> {
    this.#worker ??= new AnsweringWorker(
      workerUrl("agent/backups/zstd_worker.ts"),
      "zstd",
      (_kind, reason) => new Error(`the thread that compresses was lost: ${reason}`),
    );
    const { bytes, fault } = await this.#worker.ask(message, CHUNK_MS, transfer);
    if (bytes === undefined) throw new ZstdError(fault ?? "nothing came");
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#worker?.end();
    this.#worker = undefined;
  }
}
