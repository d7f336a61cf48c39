/** The SHA-256 of what goes through, computed while it is written: it takes as long as the writing does. */
import { AnsweringWorker } from "../../ffi/answering_worker.ts";
import { workerUrl } from "../../lib/bundle.ts";
import { log } from "../log.ts";
import type { FromChecksumWorker, ToChecksumWorker } from "./checksum_protocol.ts";
import type { Writer } from "./chunk_writer.ts";

/** Milliseconds in which a piece must be counted; it takes one, on a VM that has time. */
const PIECE_MS = 60_000;

type ChecksumWorker = AnsweringWorker<ToChecksumWorker, FromChecksumWorker>;

const failure = (reason: string) => new Error(`the checksum cannot be counted: ${reason}`);

/** The one worker (8 MB) of all checksums, however many wait for more; it ends with the last of them. */
let shared: { readonly worker: ChecksumWorker; readonly open: Set<RunningChecksum> } | undefined;
let lastId = 0;

function workerFor(checksum: RunningChecksum): ChecksumWorker {
  if (shared === undefined || shared.worker.isOver) {
    const url = workerUrl("agent/storage/checksum_worker.ts");
    shared = {
      worker: new AnsweringWorker(url, "checksum", (_kind, reason) => failure(reason)),
      open: new Set(),
    };
  }
  shared.open.add(checksum);
  return shared.worker;
}

/** One checksum, until it is disposed of. */
export class RunningChecksum implements Writer, Disposable {
  readonly #id = ++lastId;
  readonly #worker = workerFor(this);
  #isOver = false;

  /** Counts a piece; until it is done the piece's memory must stay as it is. */
  async give(bytes: Uint8Array<SharedArrayBuffer>): Promise<void> {
    await this.#ask({ count: bytes });
  }

  /** Of all that was given, in hexadecimal; once. */
  async sha256(): Promise<string> {
    const asked = this.#ask("sum");
    this.#isOver = true;
    const { sha256 } = await asked;
    if (sha256 === undefined) throw failure("the worker gave none");
    return sha256;
  }

  [Symbol.dispose](): void {
    if (shared?.worker !== this.#worker || !shared.open.delete(this)) return;
    if (shared.open.size === 0) {
      this.#worker.end();
      shared = undefined;
    } else if (!this.#isOver) {
      this.#ask("forget").catch((error) => log.debug("a checksum's worker has ended before it", { error }));
    }
    this.#isOver = true;
  }

  async #ask(step: ToChecksumWorker["step"]): Promise<FromChecksumWorker> {
    if (this.#isOver) throw failure("it is over");
    return await this.#worker.ask({ id: this.#id, step }, PIECE_MS);
  }
}
