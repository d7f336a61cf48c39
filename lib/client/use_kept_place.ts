/** Coming back to a long list finds it where it was left: the browser restores a place before its rows are there. */
import { useEffect, useRef } from "preact/hooks";

/** Our part of the state of an entry in the browser's history. */
interface KeptState {
  readonly listKey?: string;
}

const KEY = "kvmm-list-place:";

/** The key of this entry of the history; made when it is first shown. */
export function entryKey(): string {
  const state = history.state as KeptState | null;
  if (typeof state?.listKey === "string") return state.listKey;
  const listKey = crypto.getRandomValues(new Uint32Array(2)).join("-");
  history.replaceState({ ...state, listKey }, "");
  return listKey;
}

/** @returns undefined where the browser keeps nothing, or nothing was kept */
function readPlace(key: string): number | undefined {
  const kept = sessionStorage.getItem(KEY + key);
  const place = kept === null ? NaN : Number(kept);
  return Number.isFinite(place) ? place : undefined;
}

/**
 * Keeps how far a page is scrolled, for each entry of the history.
 *
 * @param height How high the list is now; the place is restored once it reaches that far.
 */
export function useKeptPlace(height: number): void {
  const wanted = useRef<number | undefined>(undefined);
  useEffect(() => {
    const key = entryKey();
    wanted.current = readPlace(key);
    const keep = () => sessionStorage.setItem(KEY + key, String(Math.round(scrollY)));
    // Who moves by himself stays where he went.
    const forget = () => {
      wanted.current = undefined;
    };
    const moves = ["wheel", "touchmove", "keydown", "pointerdown"] as const;
    for (const move of moves) addEventListener(move, forget, { passive: true });
    addEventListener("pagehide", keep);
    return () => {
      for (const move of moves) removeEventListener(move, forget);
      removeEventListener("pagehide", keep);
    };
  }, []);
  useEffect(() => {
    const place = wanted.current;
    if (place === undefined || document.documentElement.scrollHeight < place + innerHeight) return;
    scrollTo(0, place);
    wanted.current = undefined;
  }, [height]);
}
