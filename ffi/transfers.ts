/** Moving the content of volumes in and out through libvirt's streams, a piece at a time. */
import type { LibvirtAddress } from "./address.ts";
import { AnsweringWorker } from "./answering_worker.ts";
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError } from "./error.ts";
import type { Gate, Pass } from "./gate.ts";
import type { FromTransferWorker, ToTransferWorker, TransferTarget } from "./transfer_protocol.ts";

export type { TransferTarget } from "./transfer_protocol.ts";

/** Milliseconds a piece may take: a file system may stall, but not for ever. */
const PIECE_MS = 60_000;
/** Milliseconds the end of an upload may take: all that is cached is written then. */
const FINISH_MS = 600_000;

/**
 * One transfer, with a worker of its own (8 MB) that ends with it. One that libvirt does not answer in time is over for its
 * owner; its worker ends, and gives everything back, when libvirt returns.
 */
export class Transfer implements AsyncDisposable {
  readonly #worker: AnsweringWorker<ToTransferWorker, FromTransferWorker>;
  readonly #givenUp = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #timeScale: number;

  private constructor(pass: Pass, timeScale: number) {
    this.#timeScale = timeScale;
    this.#worker = new AnsweringWorker<ToTransferWorker, FromTransferWorker>(
      workerUrl("ffi/transfer_worker.ts"),
      "libvirt transfer",
      (kind, message) => new LibvirtError({ kind, message }),
      {
        last: { type: "abort" },
        overdue: () => {
          Atomics.store(this.#givenUp, 0, 1);
          pass.overdue();
        },
      },
    );
    void this.#worker.returned.then((answer) => pass.returned(isOfLibvirt(answer)));
  }

  /**
   * Opens it.
   *
   * @param gate asked first, about the pool of the volume
   * @param timeScale shortens all time limits
   * @throws {LibvirtError}
   */
  static async open(
    address: LibvirtAddress,
    target: TransferTarget,
    gate: Gate,
    timeScale = 1,
  ): Promise<Transfer> {
    const transfer = new Transfer(await gate.enter("transfer", target.pool), timeScale);
    try {
      await transfer.#ask({ type: "open", address, target, givenUp: transfer.#givenUp });
      return transfer;
    } catch (error) {
      transfer.#worker.end();
      throw error;
    }
  }

  /**
   * Writes a piece; done when libvirt has taken it: until then its memory must stay as it is. Pieces may be given one
   * behind the other, without waiting. @throws {LibvirtError}
   */
  async give(bytes: Uint8Array<SharedArrayBuffer>): Promise<void> {
    await this.#ask({ type: "send", bytes });
  }

  /** Reads a piece; empty at the end. @throws {LibvirtError} */
  async receive(): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#ask({ type: "receive" });
    return answer.type === "data" ? answer.bytes : new Uint8Array();
  }

  /** Ends it in good order: what was sent is in the volume then. @throws {LibvirtError} */
  async finish(): Promise<void> {
    await this.#ask({ type: "finish" }, FINISH_MS);
    this.#worker.end();
  }

  /** Ends it wherever it is; after {@link finish} there is nothing left to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#worker.isOver) return;
    try {
      await this.#ask({ type: "abort" }); // behind the pieces that are under way
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // It is over in either way: the worker's connection goes with it.
    } finally {
      this.#worker.end();
    }
  }

  async #ask(message: ToTransferWorker, ms = PIECE_MS): Promise<FromTransferWorker> {
    const answer = await this.#worker.ask(message, ms * this.#timeScale);
    if (answer.type === "failure") throw new LibvirtError(answer.failure);
    return answer;
  }
}

/** Whether an answer is libvirt's, be it an error, or late. */
function isOfLibvirt(answer: FromTransferWorker | undefined): boolean {
  if (answer === undefined) return false;
  return answer.type !== "failure" || answer.failure.kind === "libvirt" || answer.failure.kind === "timeout";
}
