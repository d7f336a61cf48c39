/** A limit on bytes a second, for work that asks before each piece. */
import { type Clock, sleep } from "./clock.ts";

export class Pace {
  /** When the next piece may go; monotonic milliseconds. */
  #next = 0;

  /**
   * @param rate bytes a second; a function where it changes, because others begin and end that share it
   * @param burst bytes that may go at once after a while without any
   */
  constructor(
    private readonly clock: Clock,
    private readonly rate: number | (() => number),
    private readonly burst = 0,
  ) {}

  /** How fast it is now. */
  get bytesPerSecond(): number {
    return typeof this.rate === "number" ? this.rate : this.rate();
  }

  /** Waits until so many bytes may go; those before them have had their time then. @throws the signal's reason */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.clock.monotonic(), msOf = (size: number) => size / this.bytesPerSecond * 1000;
    const next = Math.max(this.#next, now - msOf(this.burst)), wait = Math.max(0, next - now);
    this.#next = next + msOf(bytes);
    if (wait > 0) await sleep(this.clock, wait, signal);
    signal?.throwIfAborted();
  }
}
