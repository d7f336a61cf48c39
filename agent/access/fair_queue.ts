/** A queue for costly work: a few at a time, known callers first, a share for each network. */
import { ContractError } from "../../lib/contract/errors.ts";

/** A caller that waits for a turn. */
export interface Waiter {
  /** Their network; empty where no other caller can be there. */
  readonly network: string;
  /** Somebody who is known: they go before those who are not, and are never too many. */
  readonly isKnown: boolean;
}

/** How much of it there may be. */
export interface QueueLimits {
  /** Works at once. */
  readonly atOnce: number;
  /** Unknown callers that may wait, … */
  readonly mostWaiting: number;
  /** … and those of one network. */
  readonly mostOfOne: number;
}

/** Runs work in turn. */
export class FairQueue {
  readonly #waiting: (Waiter & { go: () => void })[] = [];
  #running = 0;

  constructor(private readonly limits: QueueLimits) {}

  /** Runs work when its turn has come. @throws {ContractError} TooManyRequests when too many wait already */
  async run<T>(waiter: Waiter, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limits.atOnce) await this.#turn(waiter);
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next.go(); // it takes this one's place
      else this.#running--;
    }
  }

  #turn({ network, isKnown }: Waiter): Promise<void> {
    const { mostWaiting, mostOfOne } = this.limits;
    const strangers = this.#waiting.filter((each) => !each.isKnown);
    const theirs = strangers.filter((each) => each.network === network).length;
    if (!isKnown && (strangers.length >= mostWaiting || theirs >= mostOfOne)) {
      throw new ContractError("TooManyRequests", { what: "sign-ins", limit: mostWaiting });
    }
    const { promise, resolve: go } = Promise.withResolvers<void>();
    const at = isKnown ? this.#waiting.length - strangers.length : this.#waiting.length;
    this.#waiting.splice(at, 0, { network, isKnown, go });
    return promise;
  }
}
