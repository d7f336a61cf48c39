/**
 * A worker that answers each message once, in order; several may be under way. One that is late is ended: it takes no
 * message any more. What it is computing then goes on to its end (denoland/deno#35657), so a worker that can compute
 * for long limits that itself: `withinTime()` in `ffi/time_limit.ts`.
 */
export class AnsweringWorker<To, From> {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<From>[] = [];
  readonly #failure: (kind: "lost" | "timeout", reason: string) => Error;
  #isOver = false;

  /**
   * @param url of its module, by `workerUrl()`
   * @param failure makes the error for what it does not answer
   */
  constructor(url: string, name: string, failure: (kind: "lost" | "timeout", reason: string) => Error) {
    this.#failure = failure;
    this.#worker = new Worker(url, { type: "module", name });
    this.#worker.onmessage = ({ data }: MessageEvent<From>) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(failure("lost", `the worker failed: ${event.message}`));
    };
  }

  /** Whether it has ended, and answers nothing any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The answer to a message.
   *
   * @param ms in which it must come: else the worker is ended
   * @param transfer memory that is given away with the message, instead of copied
   * @throws what `failure` makes
   */
  async ask(message: To, ms: number, transfer: readonly ArrayBuffer[] = []): Promise<From> {
    if (this.#isOver) throw this.#failure("lost", "it is over");
    const waiting = Promise.withResolvers<From>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(message, [...transfer]);
    const limit = setTimeout(
      () => this.#end(this.#failure("timeout", `no answer within ${ms / 1000} seconds`)),
      ms,
    );
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Ends it, whatever it is doing. */
  end(): void {
    this.#end(this.#failure("lost", "it is over"));
  }

  #end(error: Error): void {
    this.#isOver = true;
    this.#worker.terminate();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
