/** Drawing only those lines of a long list that are on the screen. */
import { useSignal } from "@preact/signals";
import { type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Window, windowOf } from "../text/window.ts";

/** Shorter lists are drawn whole: the browser's own find then sees all of it. */
const WHOLE = 150;
/** Pixels drawn beyond the screen's edges. */
const MARGIN = 720;

/**
 * The lines to draw now.
 *
 * @param list The element that all lines make up; the page scrolls, not the element.
 * @param offsets Where each line begins, see `lineOffsets()`.
 */
export function useWindow(list: RefObject<HTMLElement>, offsets: readonly number[]): Window {
  const count = offsets.length - 1;
  const whole: Window = { from: 0, to: count, before: 0, after: 0 };
  const shown = useSignal<Window>(whole);
  const current = useRef(offsets);
  current.current = offsets;

  useLayoutEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      if (current.current.length - 1 <= WHOLE || list.current === null) return;
      const top = -list.current.getBoundingClientRect().top;
      const next = windowOf(current.current, top, top + innerHeight, MARGIN);
      const { from, to, after } = shown.peek();
      if (from !== next.from || to !== next.to || after !== next.after) shown.value = next;
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [offsets]);

  if (count <= WHOLE) return whole;
  // Until it is measured again, a window from a longer or shorter list: within this one's bounds.
  const { from, to } = shown.value;
  const end = offsets[count] ?? 0;
  const first = Math.min(from, count);
  const last = Math.min(Math.max(to, first), count, first + WHOLE);
  return { from: first, to: last, before: offsets[first] ?? 0, after: end - (offsets[last] ?? end) };
}
