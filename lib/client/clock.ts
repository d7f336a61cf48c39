/** The time, for spans such as uptimes that grow while one looks. */
import { signal } from "@preact/signals";

const TICK_MS = 15_000;

/** Milliseconds since 1970, a little behind; 0 until the first island in the browser asks for it. */
const ticking = signal(0);
let started = false;

/**
 * The time to count spans to. On the server and in a first render the page's own, so that both agree;
 * from then on it moves.
 */
export function currentTime(rendered: number): number {
  return Math.max(ticking.value, rendered);
}

/** Starts the clock of the page; later calls change nothing. */
export function startClock(): void {
  if (started) return;
  started = true;
  ticking.value = Date.now();
  setInterval(() => {
    ticking.value = Date.now();
  }, TICK_MS);
}
