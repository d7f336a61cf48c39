/** Decides on a schedule's runs at a moment. Pure. */
import type { MissedPolicy } from "../contract/schedules.ts";
import { nextRun } from "./next_run.ts";
import type { Timing } from "./timing.ts";
import { DAY_MS } from "../duration.ts";

/** Milliseconds that a run may be late and still count as on time: a restart, a busy host. */
export const ON_TIME_MS = 60_000;
/** Milliseconds that the clock may be behind what was run on time. More, and that was run by a wrong clock. */
const WRONG_CLOCK_MS = DAY_MS;

/**
 * Up to when everything was handled, of what is written down.
 *
 * @param since since when the clock has not been set back: what is handled in a future that is none was handled by a
 *   clock that was ahead, and tells nothing of the times that come
 * @param onTime the last time that was run when it was due, where that is known: a clock that is set back comes to it again
 */
export function handledAt(handled: number, now: number, since: number, onTime = -Infinity): number {
  if (handled <= now) return handled;
  return onTime <= now + WRONG_CLOCK_MS ? Math.max(since, onTime) : since;
}

/** `wait`: nothing yet; `next` is null where nothing comes any more. `slot`: the time it was due. */
export type Due =
  | { readonly what: "wait"; readonly next: number | null }
  | { readonly what: "run"; readonly slot: number; readonly isLate: boolean }
  | { readonly what: "missed"; readonly slot: number };

/**
 * Looks whether a run is due. However many times have gone by, there is at most one run: afterwards everything up to
 * now counts as handled. Missed ones that are skipped are handled up to {@link ON_TIME_MS} ago: look again then.
 *
 * @param handled milliseconds since 1970: what was due up to then was run or skipped
 * @param now milliseconds since 1970
 */
export function dueOf(timing: Timing, handled: number, now: number, missed: MissedPolicy): Due {
  const slot = nextRun(timing, handled);
  if (slot === null || slot > now) return { what: "wait", next: slot };
  const isLate = now - slot > ON_TIME_MS;
  return isLate && missed === "skip" ? { what: "missed", slot } : { what: "run", slot, isLate };
}
