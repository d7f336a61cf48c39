/** A clock that ticks every second, only while something that is shown reads it. */
import { signal } from "@preact/signals";

const TICK_MS = 1_000;
let timer: ReturnType<typeof setInterval> | undefined;

/** Milliseconds since 1970, by the reader's clock; 0 until something subscribes to it. */
export const seconds = signal(0, {
  watched() {
    seconds.value = Date.now();
    timer = setInterval(() => {
      seconds.value = Date.now();
    }, TICK_MS);
  },
  unwatched() {
    clearInterval(timer);
  },
});
