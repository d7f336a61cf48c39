/** How a worker is treated when it is late, that holds what only it can give back. */
export interface LateWorker<To> {
  /**
   * Sent when an answer is late: the worker does nothing of what it was asked meanwhile, gives back what it holds, and
   * still answers each message. Then it is ended.
   */
  readonly last: To;
  /** Told when an answer is late, before `last` is sent. */
  overdue(): void;
}

/**
 * A worker that answers each message once, in order; several may be under way. One that is late takes no message any more
 * and is ended, unless it is a {@link LateWorker}. What it is computing then goes on to its end (denoland/deno#35657), so a
 * worker that can compute for long limits that itself: `withinTime()` in `ffi/time_limit.ts`.
 */
export class AnsweringWorker<To, From> {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<From>[] = [];
  readonly #failure: (kind: "lost" | "timeout", reason: string) => Error;
  readonly #late: LateWorker<To> | undefined;
  readonly #returned = Promise.withResolvers<From | undefined>();
  #lastAnswer: From | undefined;
  #isOver = false;

  /**
   * @param url of its module, by `workerUrl()`
   * @param failure makes the error for what it does not answer
   * @param late where it may not be ended while it hangs
   */
  constructor(
    url: string,
    name: string,
    failure: (kind: "lost" | "timeout", reason: string) => Error,
    late?: LateWorker<To>,
  ) {
    this.#failure = failure;
    this.#late = late;
    this.#worker = new Worker(url, { type: "module", name });
    this.#worker.onmessage = ({ data }: MessageEvent<From>) => {
      this.#lastAnswer = data;
      this.#waiting.shift()?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lastAnswer = undefined;
      this.#giveUp(failure("lost", `the worker failed: ${event.message}`));
      this.#terminate();
    };
  }

  /**
   * Its last answer, once it is ended; of a late one the answer for which it was late. Undefined: it gave none, or failed.
   */
  get returned(): Promise<From | undefined> {
    return this.#returned.promise;
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
      () => this.#overdue(this.#failure("timeout", `no answer within ${ms / 1000} seconds`)),
      ms,
    );
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Ends it, whatever it is doing; a late one when it has answered. */
  end(): void {
    if (this.#isOver) return;
    this.#giveUp(this.#failure("lost", "it is over"));
    this.#terminate();
  }

  #overdue(error: Error): void {
    if (this.#isOver) return;
    if (this.#late === undefined) this.#terminate();
    else this.#outlast(this.#late);
    this.#giveUp(error);
  }

  /** Ends it when it has answered all that it was asked. */
  #outlast({ last, overdue }: LateWorker<To>): void {
    let unanswered = this.#waiting.length + 1;
    let isFirst = true;
    this.#worker.onmessage = ({ data }: MessageEvent<From>) => {
      if (isFirst) this.#lastAnswer = data;
      isFirst = false;
      if (--unanswered === 0) this.#terminate();
    };
    overdue();
    this.#worker.postMessage(last);
  }

  #giveUp(error: Error): void {
    this.#isOver = true;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #terminate(): void {
    this.#worker.terminate();
    this.#returned.resolve(this.#lastAnswer);
  }
}
