/** Sessions that have shown lately that their owner is present. */
import { type Clock, elapsed, type Moment, momentOf } from "../clock.ts";

/** Milliseconds a proof holds. */
export const CONFIRMED_MS = 5 * 60_000;

/** Sessions whose owners have shown just now that it is them. Signing in is no such proof: it may be long ago. */
export class Confirmations {
  /** Session → when; the oldest first. */
  readonly #confirmed = new Map<string, Moment>();

  constructor(private readonly clock: Clock) {}

  /** Somebody at a session has shown that it is them. */
  confirm(holder: string): void {
    const now = momentOf(this.clock);
    for (const [each, at] of this.#confirmed) {
      if (elapsed(at, now) >= CONFIRMED_MS) this.#confirmed.delete(each);
    }
    this.#confirmed.delete(holder);
    this.#confirmed.set(holder, now);
  }

  /** Until when that holds, in milliseconds since 1970; null when it does not. */
  until(holder: string): number | null {
    const at = this.#confirmed.get(holder), now = momentOf(this.clock);
    const left = at === undefined ? 0 : CONFIRMED_MS - elapsed(at, now);
    return left > 0 ? now.wall + left : null;
  }
}
