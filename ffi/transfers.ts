/** Moving the content of volumes in and out through libvirt's streams, a piece at a time. */
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError } from "./error.ts";
import type { FromTransferWorker, ToTransferWorker, TransferTarget } from "./transfer_protocol.ts";

export type { TransferTarget } from "./transfer_protocol.ts";

/** Milliseconds a piece may take: a file system may stall, but not for ever. */
const PIECE_MS = 60_000;
/** Milliseconds the end of an upload may take: all that is cached is written then. */
const FINISH_MS = 600_000;

/** One transfer, with a worker of its own (8 MB) that ends with it. */
export class Transfer implements AsyncDisposable {
  readonly #worker: Worker;
  #waiting: PromiseWithResolvers<FromTransferWorker> | undefined;
  #isOver = false;

  private constructor() {
    this.#worker = new Worker(workerUrl("ffi/transfer_worker.ts"), {
      type: "module",
      name: "libvirt transfer",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromTransferWorker>) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (data.type === "failure") waiting?.reject(new LibvirtError(data.failure));
      else waiting?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#waiting?.reject(
        new LibvirtError({ kind: "lost", message: `the transfer worker failed: ${event.message}` }),
      );
      this.#waiting = undefined;
    };
  }

  /** Opens it. @throws {LibvirtError} */
  static async open(uri: string, target: TransferTarget): Promise<Transfer> {
    const transfer = new Transfer();
    try {
      await transfer.#ask({ type: "open", uri, target });
      return transfer;
    } catch (error) {
      transfer.#end();
      throw error;
    }
  }

  /**
   * Writes a piece; done when libvirt has taken it. Its memory goes over, all of what it is a view of, and comes back:
   * whoever sends uses the same few buffers again and again, and nothing waits for the garbage collector.
   *
   * @returns what was sent @throws {LibvirtError}
   */
  async give(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#ask({ type: "send", bytes }, PIECE_MS, [bytes.buffer]);
    return answer.type === "sent" ? answer.bytes : new Uint8Array();
  }

  /** Reads a piece; empty at the end. @throws {LibvirtError} */
  async receive(): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#ask({ type: "receive" });
    return answer.type === "data" ? answer.bytes : new Uint8Array();
  }

  /** Ends it in good order: what was sent is in the volume then. @throws {LibvirtError} */
  async finish(): Promise<void> {
    await this.finishPart();
    this.#end();
  }

  /** The same, but it can be gone on with by {@link goOn}. @throws {LibvirtError} */
  async finishPart(): Promise<void> {
    await this.#ask({ type: "finish" }, FINISH_MS);
  }

  /** Moves another part of the same volume. @throws {LibvirtError} */
  async goOn(uri: string, target: TransferTarget): Promise<void> {
    await this.#ask({ type: "open", uri, target });
  }

  /** The SHA-256 of all that was sent, in hexadecimal; once. @throws {LibvirtError} */
  async digest(): Promise<string> {
    const answer = await this.#ask({ type: "digest" });
    return answer.type === "digest" ? answer.sha256 : "";
  }

  /** Ends it wherever it is; after {@link finish} there is nothing left to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    try {
      // A piece that is under way is waited for: the worker can do one thing at a time.
      await this.#waiting?.promise.catch(() => {/* its asker has been told */});
      await this.#ask({ type: "abort" });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // It is over in either way: the worker's connection goes with it.
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#worker.terminate();
  }

  async #ask(
    message: ToTransferWorker,
    limitMs = PIECE_MS,
    transfer: Transferable[] = [],
  ): Promise<FromTransferWorker> {
    if (this.#isOver) throw new LibvirtError({ kind: "lost", message: "the transfer is over" });
    const waiting = Promise.withResolvers<FromTransferWorker>();
    this.#waiting = waiting;
    this.#worker.postMessage(message, transfer);
    const limit = setTimeout(() => {
      waiting.reject(
        new LibvirtError({ kind: "timeout", message: `no answer within ${limitMs / 1000} seconds` }),
      );
      this.#end();
    }, limitMs);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(limit);
    }
  }
}
