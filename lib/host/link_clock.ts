/** How far the clock of a linked host is ahead of the clock here, as its answers tell. Pure. */

/** Milliseconds of difference that are not reported: hosts that keep the time differ by less. */
const SAME_MS = 2000;
/** Milliseconds by which a difference must change to be told as another one: moments that were told stay as they are. */
const STEP_MS = 1000;
/** Part by which clocks may run apart between two measurements. */
const DRIFT = 0.001;
/** Milliseconds beyond which a clock tells nonsense. */
const MOST_MS = 100 * 366 * 86_400_000;

/** Reading of the other clock from one answer. Milliseconds. */
export interface ClockReading {
  /** The time there, when it answered. */
  readonly theirs: number;
  /** By how much that may be wrong: it may be told in whole seconds. */
  readonly resolution: number;
  /** The time here, when the answer had come. */
  readonly here: number;
  /** From the question to the answer. */
  readonly took: number;
  /** When that was, by the monotonic clock. */
  readonly at: number;
}

interface Measured {
  readonly ahead: number;
  readonly error: number;
  readonly at: number;
}

export class LinkClock {
  #best: Measured | undefined;
  #ahead = 0;

  /** Milliseconds that the clock there is ahead; 0 where both tell the same time. */
  get aheadMs(): number {
    return this.#ahead;
  }

  /** Takes an answer in. @returns whether the difference is told as another one from now on */
  take({ theirs, resolution, here, took, at }: ClockReading): boolean {
    const ahead = theirs - (here - took / 2), error = (took + resolution) / 2;
    if (!Number.isFinite(ahead) || Math.abs(ahead) > MOST_MS) return false;
    const best = this.#best, drift = best === undefined ? 0 : Math.max(0, at - best.at) * DRIFT;
    const isSet = best !== undefined && Math.abs(ahead - best.ahead) > error + best.error + drift;
    if (best === undefined || isSet || error <= best.error + drift) this.#best = { ahead, error, at };
    return this.#tell(this.#best!);
  }

  #tell({ ahead, error }: Measured): boolean {
    const told = Math.abs(ahead) <= SAME_MS + error ? 0 : Math.round(ahead), before = this.#ahead;
    if (told === before || told !== 0 && Math.abs(told - before) <= STEP_MS + error) return false;
    this.#ahead = told;
    return true;
  }
}
