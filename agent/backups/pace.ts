/** A limit on bytes a second, for work that asks before each piece. */
import { type Clock, sleep } from "../clock.ts";

export class Pace {
  /** When the next piece may go; monotonic milliseconds. */
  #next = 0;

  constructor(private readonly clock: Clock, readonly bytesPerSecond: number) {}

  /** Waits until so many bytes may go; those before them have had their time then. @throws the signal's reason */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.clock.monotonic(), wait = Math.max(0, this.#next - now);
    this.#next = now + wait + bytes / this.bytesPerSecond * 1000;
    if (wait > 0) await sleep(this.clock, wait, signal);
    signal?.throwIfAborted();
  }
}
