/** Waiting for something to become true, with a limit and a message that says what was last seen. */

/** How {@link until} waits. */
export interface WaitOptions {
  /** Gives up after this many seconds. 60 when left out: an emulated guest on a busy machine is slow. */
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
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  { seconds = 60, every = 100, lastSeen }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  while (true) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) {
      const detail = lastSeen === undefined ? "" : `; last seen: ${await lastSeen()}`;
      throw new Error(`waited ${seconds} s in vain for ${what}${detail}`);
    }
    await delay(every);
  }
}

/** Sleeps. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
