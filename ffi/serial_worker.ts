import { Mutex } from "../lib/mutex.ts";
import { AnsweringWorker } from "./answering_worker.ts";

/** Milliseconds an idle worker is kept: whoever edits asks again soon. It costs 8 MB. */
const IDLE_MS = 10_000;

/** Makes the error for a message that is not answered. */
export type FailureMaker = (kind: "lost" | "timeout", reason: string) => Error;

/**
 * A worker for what would hold up the main thread. It takes one message after the other, so that each has all of its
 * time; it is started by the first and ended when it was idle for a while.
 */
export class SerialWorker<To, From> {
  #worker: AnsweringWorker<To, From> | undefined;
  readonly #turns = new Mutex();
  #idle: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param url of its module, by `workerUrl()`
   * @param failure makes the error for what it does not answer
   */
  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly failure: FailureMaker,
  ) {}

  /** The answer to a message. @param ms in which it must come, from its turn on @throws what `failure` makes */
  ask(message: To, ms: number): Promise<From> {
    return this.#turns.run(() => this.#ask(message, ms));
  }

  async #ask(message: To, ms: number): Promise<From> {
    clearTimeout(this.#idle);
    if (this.#worker === undefined || this.#worker.isOver) {
      this.#worker = new AnsweringWorker(this.url, this.name, this.failure);
    }
    try {
      return await this.#worker.ask(message, ms);
    } finally {
      this.#idle = setTimeout(() => this.end(), IDLE_MS);
    }
  }

  /** Ends the worker, whatever it is doing. A later message starts another. */
  end(): void {
    clearTimeout(this.#idle);
    this.#worker?.end();
    this.#worker = undefined;
  }
}
