/** Shared by tests of the agent. */
import { setImmediate } from "node:timers";
import { ALL_RIGHTS } from "../lib/access/rights.ts";
import { type Door, type Principal, principalOf } from "./access.ts";
import type { Clock } from "./clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until it is moved. Timers come in the order of their times, each at its own. */
export class TestClock implements Clock {
  #wall: number;
  #up: number;
  #boot = 1;
  readonly #timers = new Set<Timer>();

  /**
   * @param wall milliseconds since 1970
   * @param up milliseconds since the boot
   */
  constructor(wall = Date.UTC(2026, 0, 1), up = 1_000_000) {
    this.#wall = wall;
    this.#up = up;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#up;
  }

  boot(): string {
    return `boot ${this.#boot}`;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#up + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are still to come. */
  get waiting(): number {
    return this.#timers.size;
  }

  /**
   * Lets time go by. After each timer its work continues as far as it gets without the outside world, so that
   * work that asks for its next timer gets it in time. A year of hourly work takes about a second.
   *
   * @param wallMs milliseconds of the wall clock: another number is a clock that was set meanwhile
   */
  async advance(ms: number, wallMs = ms): Promise<void> {
    const end = this.#up + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#move(timer.at);
      timer.run();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#move(end);
    this.#wall += wallMs - ms;
  }

  /** Somebody sets the wall clock. */
  set(wall: number): void {
    this.#wall = wall;
  }

  /** The host boots: timers are lost. @param wallMs how much later it is */
  reboot(wallMs = 0): void {
    this.#boot++;
    this.#up = 5000;
    this.#wall += wallMs;
    this.#timers.clear();
  }

  /** The timer that comes first, of two at the same time the older one. */
  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }

  #move(up: number): void {
    this.#wall += Math.max(0, up - this.#up);
    this.#up = Math.max(this.#up, up);
  }
}

/** Somebody who may do everything: whoever this process runs as. */
export function localPrincipal(door: Door): Principal {
  const name = door === "socket" ? "root" : "local", uid = Deno.uid() ?? 0;
  return principalOf({ name, uid, door, via: "socket", rights: ALL_RIGHTS });
}
