/** A limit on bytes a second, for work that asks before each piece. */
import { type Clock, sleep } from "../clock.ts";

export class Pace {
  /** When the next piece may go; monotonic milliseconds. */
  #next = 0;

  /** @param rate bytes a second; a function where it changes, because others begin and end that share it */
  constructor(private readonly clock: Clock, private readonly rate: number | (() => number)) {}

  /** How fast it is now. */
  get bytesPerSecond(): number {
    return typeof this.rate === "number" ? this.rate : this.rate();
  }

  /** Waits until so many bytes may go; those before them have had their time then. @throws the signal's reason */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.clock.monotonic(), wait = Math.max(0, this.#next - now);
    this.#next = now + wait + bytes / this.bytesPerSecond * 1000;
    if (wait > 0) await sleep(this.clock, wait, signal);
    signal?.throwIfAborted();
  }
}
