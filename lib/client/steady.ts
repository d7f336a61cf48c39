/** Buttons whose meaning changes by events: a click meant for what stood there before is ignored. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Milliseconds for which a button is not used after its meaning changed. */
export const CLICK_STEADY_MS = 1_000;

/**
 * Whether a button may be used: not for a second after `what` changed.
 *
 * @param what names what a click does, and to what
 * @param arrives the button comes up where another one may have been: not for its first second, either
 */
export function useSteady(what: string, arrives = false): boolean {
  const shown = useRef(arrives ? undefined : what);
  const settling = useSignal(false);
  useLayoutEffect(() => {
    if (shown.current === what) return;
    shown.current = what;
    settling.value = true;
    const timer = setTimeout(() => settling.value = false, CLICK_STEADY_MS);
    return () => clearTimeout(timer);
  }, [what]);
  // Read in every render, so that each is told; the render in which `what` changed comes before its effect.
  const isSettling = settling.value;
  return shown.current === what && !isSettling;
}
