/** Waiting for something to become true, with a limit and a message that says what was last seen. */
import assert from "node:assert/strict";
import { spend } from "./times.ts";

/**
 * How many times longer than its limit a wait goes on. Limits are those of an idle machine; the suite has to pass on one
 * that is several times slower, or busy with other work.
 */
export const PATIENCE = 4;

/** How {@link until} waits. */
export interface WaitOptions {
  /** Seconds in which it happens on an idle machine; 60 when left out. It gives up after {@link PATIENCE} times that. */
  readonly seconds?: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
  /** Called once the time is up; its text is added to the error. */
  readonly lastSeen?: () => string | Promise<string>;
}

/**
 * Looks again and again until `look` gives something other than null, undefined or false.
 *
 * @throws {Error} when the time is up; an error thrown by `look` itself ends the wait at once
 */
export function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  return spend("wait", () => lookAgain(what, look, options), what);
}

async function lookAgain<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  { seconds = 60, every = 100, lastSeen }: WaitOptions,
): Promise<T> {
  const limit = seconds * PATIENCE;
  const end = performance.now() + limit * 1000;
  while (true) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) {
      const detail = lastSeen === undefined ? "" : `; last seen: ${await lastSeen()}`;
      throw new Error(`waited ${limit} s in vain for ${what}${detail}`);
    }
    await delay(every);
  }
}

/**
 * Waits until a page shows the expected value: after a click it may take a moment.
 *
 * @throws {AssertionError} with the value seen last
 */
export function becomes<T>(
  read: () => Promise<T>,
  expected: T,
  message = "in the end",
  seconds = 5,
): Promise<void> {
  const end = performance.now() + seconds * PATIENCE * 1000;
  return spend("wait", async () => {
    while (true) {
      const seen = await read();
      if (seen === expected || performance.now() > end) return assert.equal(seen, expected, message);
      await delay(50);
    }
  }, message);
}

/** Sleeps: for what has no end to wait for, such as that something does not happen. */
export function delay(milliseconds: number): Promise<void> {
  return spend("sleep", () => new Promise((resolve) => setTimeout(resolve, milliseconds)));
}

/** How often a {@link Lateness} looks, in milliseconds. */
const TICK_MS = 20;

/** How much later than they were due this process's timers have come: what a busy machine adds to every bound. */
export class Lateness implements Disposable {
  #ms = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#ms += Math.max(0, now - this.#last - TICK_MS);
    this.#last = now;
  }, TICK_MS);

  /** Milliseconds since it was made, in all. */
  get ms(): number {
    return this.#ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
