/** Slows guessing down: after a few failures each further attempt has to wait, twice as long each time. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { HOUR_MS } from "../../lib/duration.ts";

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

/** Names or addresses remembered. Beyond, the one with the fewest failures is forgotten. */
const MOST = 10_000;
/** Milliseconds without a failure after which all is forgiven. */
const FORGIVEN = HOUR_MS;

export class Throttle {
  readonly #failures = new Map<string, Failures>();

  /**
   * @param most keys remembered
   */
  constructor(
    private readonly patience: Patience,
    private readonly clock: Clock = SYSTEM_CLOCK,
    private readonly most = MOST,
  ) {}

  /** @throws {ContractError} TooManyAttempts, telling how long to wait */
  check(key: string): void {
    const found = this.#failures.get(key);
    const left = (found?.until ?? 0) - this.clock.monotonic();
    if (left > 0) throw new ContractError("TooManyAttempts", { seconds: Math.ceil(left / 1000) });
  }

  /**
   * Counts an attempt as failed before it is known how it ends: of many at once, each waits for the ones before.
   * {@link succeeded} takes it back.
   */
  failed(key: string): void {
    const now = this.clock.monotonic();
    let found = this.#failures.get(key);
    if (!found || now - found.last > FORGIVEN) found = { count: 0, last: now, until: 0 };
    found.count++;
    found.last = now;
    found.until = now + this.#cost(found.count);
    this.#failures.delete(key); // the newest is last
    if (this.#failures.size >= this.most) this.#forgetOne();
    this.#failures.set(key, found);
  }

  /**
   * Forgets the one with the fewest failures, the oldest of these; one that is forgiven first. Whoever fails under many
   * names or from many addresses so pushes out these, not the one that is guessed at.
   */
  #forgetOne(): void {
    let fewest = Infinity, victim: string | undefined;
    const since = this.clock.monotonic() - FORGIVEN;
    for (const [key, { count, last }] of this.#failures) {
      const weight = last < since ? 0 : count;
      if (weight < fewest) [fewest, victim] = [weight, key];
    }
    if (victim !== undefined) this.#failures.delete(victim);
  }

  /** An attempt that was counted has failed now: what it costs is waited from here on, however long it took. */
  renew(key: string): void {
    const found = this.#failures.get(key);
    if (found) found.until = Math.max(found.until, this.clock.monotonic() + this.#cost(found.count));
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
