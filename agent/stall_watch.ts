/** Watches from a worker that the main thread turns, and tells once when it does not. Pure but for what it is given. */
import { readHeartbeat } from "./heartbeat.ts";

/** Milliseconds between looks. */
export const LOOK_MS = 1000;
/** Milliseconds without a turn that are told. */
const STALL_MS = 5000;
/** Milliseconds between two looks after which this worker stood still itself, as all does in a host that was suspended. */
const GAP_MS = 3000;

export class StallWatch {
  #turns = -1;
  #turnedAt = 0;
  #lookedAt = 0;
  #isTold = false;

  /** @param dataDir the folder whose disk the main thread may wait for @param tell writes a line to the log */
  constructor(
    private readonly memory: Int32Array,
    private readonly dataDir: string,
    private readonly tell: (message: string) => void,
  ) {}

  /** Looks once. @param now monotonic milliseconds */
  look(now: number): void {
    const { turns, label } = readHeartbeat(this.memory);
    const stoodStill = now - this.#lookedAt > GAP_MS;
    this.#lookedAt = now;
    if (turns !== this.#turns || (stoodStill && !this.#isTold)) {
      if (this.#isTold) {
        this.tell(`the main thread turns again after ${Math.round((now - this.#turnedAt) / 1000)} seconds`);
      }
      this.#turns = turns;
      this.#turnedAt = now;
      this.#isTold = false;
    } else if (!this.#isTold && now - this.#turnedAt >= STALL_MS) {
      this.#isTold = true;
      const seconds = Math.round((now - this.#turnedAt) / 1000);
      this.tell(
        label === ""
          ? `the main thread has not turned for ${seconds} seconds`
          : `the disk of ${this.dataDir} does not respond: the main thread has been ${label} for ${seconds} seconds`,
      );
    }
  }
}
