import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for work, but not longer than so many milliseconds; a later result is for others. @throws errors of
 * the work in time
 */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  let limit: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([work, new Promise((resolve) => limit = setTimeout(resolve, ms))]);
  } finally {
    clearTimeout(limit);
  }
}

/** Milliseconds that several looks have together, from now on; what one of them brings later is for others. */
export class SharedTime {
  readonly #until: number;
  /** Work that was not answered, by the names that {@link SharedTime.of} was given. */
  readonly unanswered = new Set<string>();

  constructor(ms: number) {
    this.#until = performance.now() + ms;
  }

  /** Result of work; undefined if it takes too long. @throws errors of the work in time */
  async of<T>(name: string, work: Promise<T>): Promise<T | undefined> {
    let answer: { readonly value: T } | undefined;
    const left = Math.max(0, this.#until - performance.now());
    await within(left, work.then((value) => void (answer = { value })));
    if (answer === undefined) this.unanswered.add(name);
    return answer?.value;
  }
}

/** Waits so many milliseconds, but not for what was aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { ...(signal && { signal }) });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
