/** The body of a request that carries content, read piece by piece by whoever writes it somewhere. */
import type { RequestBody } from "./dispatch.ts";

/** Milliseconds in which something of a body must arrive, and between two looks whether it has. */
const STALL_MS = 60_000, LOOK_MS = 5000;
/** Milliseconds in which the rest of a body that was refused is read. */
const DRAIN_MS = 2000;

/** The pieces of a body, until it is over, stalls, or the job or whoever sends it is stopped. */
export class BodyReader implements Disposable {
  readonly #body: RequestBody;
  readonly #job: AbortSignal;
  readonly #sender: AbortSignal;
  readonly #stop = () => this.#body.interrupt(this.#job.reason);
  readonly #breakOff = () => this.#body.interrupt(BROKEN);
  readonly #looks: ReturnType<typeof setInterval>;
  #last = performance.now();

  constructor(body: RequestBody, job: AbortSignal, sender: AbortSignal) {
    this.#body = body;
    this.#job = job;
    this.#sender = sender;
    job.addEventListener("abort", this.#stop);
    sender.addEventListener("abort", this.#breakOff);
    // One timer for all pieces: one for each would cost as much as the piece.
    this.#looks = setInterval(() => {
      if (performance.now() - this.#last > STALL_MS) this.#breakOff();
    }, LOOK_MS);
  }

  /** The next piece; null when it broke off. @throws {ContractError} JobCancelled */
  async next(): Promise<Uint8Array | null> {
    this.#job.throwIfAborted();
    if (this.#sender.aborted) return null;
    try {
      const bytes = await this.#body.next();
      this.#last = performance.now();
      return bytes;
    } catch (error) {
      if (error === BROKEN) return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looks);
    this.#job.removeEventListener("abort", this.#stop);
    this.#sender.removeEventListener("abort", this.#breakOff);
  }
}

/** Why a piece is waited for no longer. */
const BROKEN = Symbol("the body broke off");

/**
 * Reads what is left of a body for a moment: a connection is cut when its body is not read to the end, and who still
 * sends would not get the answer. Whoever sends for longer finds it at the job.
 */
export async function drain(body: RequestBody): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  const timer = setTimeout(() => body.interrupt(BROKEN), DRAIN_MS);
  try {
    while (performance.now() < until && await body.next() !== null);
  } catch (error) {
    if (error !== BROKEN) throw error;
  } finally {
    clearTimeout(timer);
  }
}
