/** A drawing in a frame: it scrolls, is dragged, zoomed, and walked with the arrow keys. */
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Picture } from "../topology/layout.ts";
import { isDirection, nextStop, type Stop } from "../topology/walk.ts";
import { isPlainClick } from "./click.ts";

/** Least and most a drawing is zoomed, and by how much at once. */
const LEAST = 0.25, MOST = 2, STEP = 1.25;
/** Below this a phone's letters cannot be read: rather scroll. */
const READABLE = 0.8;
/** Pixels a pointer may move and still mean a click. */
const STILL = 4;

/** Callbacks for events in the drawing. */
interface MapEvents {
  /** Somebody points at a stop, or has the focus on it; null: no more. */
  readonly look: (id: string | null) => void;
  /** The focus went to a stop. */
  readonly reach: (id: string) => void;
  /** A group is opened or closed. */
  readonly fold: (href: string) => void;
}

const stopAt = (target: EventTarget | null) =>
  target instanceof Element ? target.closest<SVGAElement>("[data-stop]") : null;

/** Has the mouse drag the content of an element. While and just after it is dragged, it has `data-dragged`. */
function scrollByDragging(element: HTMLElement, signal: AbortSignal): void {
  let drag: { x: number; y: number; left: number; top: number; moved: boolean } | undefined;
  const down = (event: PointerEvent) => {
    // A finger scrolls by itself.
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    drag = {
      x: event.clientX,
      y: event.clientY,
      left: element.scrollLeft,
      top: element.scrollTop,
      moved: false,
    };
  };
  const move = (event: PointerEvent) => {
    if (drag === undefined) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < STILL) return;
    if (!drag.moved) element.setPointerCapture(event.pointerId);
    drag.moved = true;
    element.dataset.dragged = "";
    element.scrollTo(drag.left - dx, drag.top - dy);
  };
  const up = () => {
    const wasMoved = drag?.moved;
    drag = undefined;
    // The click that ends a drag comes after this, and is none.
    setTimeout(() => delete element.dataset.dragged, wasMoved ? 50 : 0);
  };
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", up, { signal });
}

/** Makes a frame with a drawing in it move. The drawing's stops carry their id as `data-stop`. */
export function usePanZoom(
  frame: RefObject<HTMLElement>,
  picture: Picture,
  stops: readonly Stop[],
  events: MapEvents,
): { scale: number; zoom: (steps: number) => void; fit: () => void } {
  const scale = useSignal(1);
  // What listeners see is always the newest.
  const now = useRef({ picture, stops, events });
  now.current = { picture, stops, events };

  /** @param at the point of the frame that stays where it is; its middle when left out */
  const scaleTo = (wanted: number, at?: { x: number; y: number }) => {
    const element = frame.current, before = scale.peek();
    const next = Math.min(MOST, Math.max(LEAST, wanted));
    scale.value = next;
    if (element === null) return;
    const { x, y } = at ?? { x: element.clientWidth / 2, y: element.clientHeight / 2 };
    const left = (element.scrollLeft + x) * next / before - x,
      top = (element.scrollTop + y) * next / before - y;
    requestAnimationFrame(() => element.scrollTo(left, top));
  };
  const fitted = (least: number) => {
    const element = frame.current;
    if (element === null) return 1;
    const { width, height } = now.current.picture;
    return Math.min(1, Math.max(least, Math.min(element.clientWidth / width, element.clientHeight / height)));
  };

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const wide = element.clientWidth / now.current.picture.width;
    if (wide < 1) scale.value = Math.max(READABLE, wide);

    const focus = (id: string) => {
      const found = [...element.querySelectorAll<SVGAElement>("[data-stop]")].find((each) =>
        each.dataset.stop === id
      );
      found?.focus();
      found?.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const keys = (event: KeyboardEvent) => {
      const id = stopAt(event.target)?.dataset.stop;
      const { stops } = now.current;
      const from = stops.find((stop) => stop.id === id);
      if (event.key === "Escape" && from !== undefined) {
        now.current.events.look(null);
        element.focus();
      } else if (isDirection(event.key)) {
        const next = from === undefined ? stops[0] : nextStop(stops, from, event.key);
        if (from === undefined && event.target !== element) return;
        event.preventDefault();
        if (next) focus(next.id);
      } else if (event.key === "Enter" && event.target === element && stops[0]) focus(stops[0].id);
    };
    const pointed = (event: Event) => now.current.events.look(stopAt(event.target)?.dataset.stop ?? null);
    const focused = (event: FocusEvent) => {
      const id = stopAt(event.target)?.dataset.stop;
      now.current.events.look(id ?? null);
      if (id !== undefined) now.current.events.reach(id);
    };

    const click = (event: MouseEvent) => {
      if (element.dataset.dragged !== undefined) return event.preventDefault();
      const link = stopAt(event.target);
      if (link?.dataset.kind !== "fold" || !isPlainClick(event)) return;
      event.preventDefault();
      now.current.events.fold(link.href.baseVal);
    };
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      scaleTo(scale.peek() * Math.exp(-event.deltaY / 400), at);
    };
    const still = (event: Event) => event.preventDefault();
    const stop = new AbortController();
    const { signal } = stop;
    element.addEventListener("keydown", keys, { signal });
    element.addEventListener("pointerover", pointed, { signal });
    element.addEventListener("pointerleave", () => now.current.events.look(null), { signal });
    element.addEventListener("focusin", focused, { signal });
    element.addEventListener("focusout", () => now.current.events.look(null), { signal });
    scrollByDragging(element, signal);
    element.addEventListener("click", click, { signal });
    element.addEventListener("dragstart", still, { signal });
    element.addEventListener("wheel", wheel, { signal, passive: false });
    return () => stop.abort();
  }, []);

  return {
    scale: scale.value,
    zoom: (steps) => scaleTo(scale.peek() * STEP ** steps),
    fit: () => scaleTo(fitted(LEAST)),
  };
}
