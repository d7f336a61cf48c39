/** Slows guessing down: after a few failures each further attempt has to wait, twice as long each time. */
import { ContractError } from "../../lib/contract/errors.ts";

/** How patient it is. */
export interface Patience {
  /** Failures that cost nothing. */
  readonly free: number;
  /** Milliseconds of the longest wait. */
  readonly longest: number;
}

interface Failures {
  count: number;
  /** Monotonic milliseconds. */
  last: number;
  until: number;
}

/** Names or addresses remembered. Beyond, the one longest quiet is forgotten. */
const MOST = 10_000;
/** Milliseconds without a failure after which all is forgiven. */
const FORGIVEN = 3600_000;

export class Throttle {
  readonly #failures = new Map<string, Failures>();

  /** @param now monotonic milliseconds */
  constructor(
    private readonly patience: Patience,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws {ContractError} TooManyAttempts, telling how long to wait */
  check(key: string): void {
    const found = this.#failures.get(key);
    const left = (found?.until ?? 0) - this.now();
    if (left > 0) throw new ContractError("TooManyAttempts", { seconds: Math.ceil(left / 1000) });
  }

  /**
   * Counts an attempt as failed before it is known how it ends: of many at once, each waits for the ones before.
   * {@link succeeded} takes it back.
   */
  failed(key: string): void {
    const now = this.now();
    let found = this.#failures.get(key);
    if (!found || now - found.last > FORGIVEN) found = { count: 0, last: now, until: 0 };
    found.count++;
    found.last = now;
    found.until = now + this.#cost(found.count);
    this.#failures.delete(key); // the newest is last
    this.#failures.set(key, found);
    if (this.#failures.size > MOST) this.#failures.delete(this.#failures.keys().next().value!);
  }

  /** An attempt that was counted has failed now: what it costs is waited from here on, however long it took. */
  renew(key: string): void {
    const found = this.#failures.get(key);
    if (found) found.until = Math.max(found.until, this.now() + this.#cost(found.count));
  }

  /** All is forgiven. */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** Milliseconds that a number of failures costs. */
  #cost(count: number): number {
    const over = count - this.patience.free;
    return over < 0 ? 0 : Math.min(this.patience.longest, 1000 * 2 ** Math.min(over, 30));
  }
}
