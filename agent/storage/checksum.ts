/** The SHA-256 of what goes through, counted beside what writes it: it takes as long as the writing does. */
import { AnsweringWorker } from "../../lib/answering_worker.ts";
import { workerUrl } from "../../lib/bundle.ts";
import type { FromChecksumWorker, ToChecksumWorker } from "./checksum_protocol.ts";
import type { Writer } from "./filler.ts";

/** Milliseconds in which a piece must be counted; it takes one, on a machine that has time. */
const PIECE_MS = 60_000;

/** One checksum, with a worker of its own (8 MB), until it is disposed of. */
export class Checksum implements Writer, Disposable {
  readonly #worker = new AnsweringWorker<ToChecksumWorker, FromChecksumWorker>(
    workerUrl("agent/storage/checksum_worker.ts"),
    "checksum",
    (_kind, reason) => new Error(`the checksum cannot be counted: ${reason}`),
  );

  /** Counts a piece; until it is done the piece's memory must stay as it is. */
  async give(bytes: Uint8Array<SharedArrayBuffer>): Promise<void> {
    await this.#worker.ask({ bytes }, PIECE_MS);
  }

  /** Of all that was given, in hexadecimal; once. */
  async sha256(): Promise<string> {
    const { sha256 = "" } = await this.#worker.ask({}, PIECE_MS);
    return sha256;
  }

  [Symbol.dispose](): void {
    this.#worker.end();
  }
}
