/** Whether the wall clock can be trusted where ages decide what is removed. */
import type { Clock } from "../clock.ts";

/** Milliseconds that the wall clock may differ from the time that went by: more is a clock that was set. */
const DRIFT_MS = 3600_000;

export class ClockDrift {
  /** Wall minus monotonic time at the start. */
  readonly #base: number;

  constructor(readonly clock: Clock) {
    this.#base = this.#offset;
  }

  get #offset(): number {
    return this.clock.now() - this.clock.monotonic();
  }

  /** Why nothing is removed: after a clock was set, old and new are anybody's guess. */
  get held(): string | undefined {
    if (Math.abs(this.#offset - this.#base) < DRIFT_MS) return undefined;
    return "the host's clock was set since the start, so ages cannot be trusted: check it, then restart KVM Manager";
  }
}
