/** Finds a place for messages in a window's corner that does not cover clickable elements. */

/** A rectangle in CSS pixels, from the window's left and top. */
export interface WindowRect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Distances of a message from the window's edges; pixels. */
export interface MessagePlace {
  readonly side: "right" | "left";
  readonly bottom: number;
}

/** Pixels to the window's edge, and to what is not covered. */
const EDGE = 16, GAP = 8;

const overlap = (a: WindowRect, b: WindowRect) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** The place on one side, as low as it goes; undefined where there is none. */
function lowest(
  side: MessagePlace["side"],
  size: { readonly width: number; readonly height: number },
  within: { readonly width: number; readonly height: number },
  obstacles: readonly WindowRect[],
): MessagePlace | undefined {
  const left = side === "left" ? EDGE : within.width - EDGE - size.width;
  let bottom = EDGE;
  while (within.height - bottom - size.height >= EDGE) {
    const box = {
      left,
      right: left + size.width,
      top: within.height - bottom - size.height,
      bottom: within.height - bottom,
    };
    const met = obstacles.filter((each) => overlap(box, each));
    if (met.length === 0) return { side, bottom };
    bottom = within.height - Math.min(...met.map(({ top }) => top)) + GAP;
  }
  return undefined;
}

/**
 * The lowest place that covers none of the obstacles, to the right where both sides are alike.
 *
 * @param obstacles what is not covered, in order: where there is no place clear of all of them, one that is clear of the first
 * kinds is taken; the corner where there is none at all
 */
export function clearPlace(
  size: { readonly width: number; readonly height: number },
  within: { readonly width: number; readonly height: number },
  obstacles: readonly (readonly WindowRect[])[],
): MessagePlace {
  for (let kinds = obstacles.length; kinds > 0; kinds--) {
    const boxes = obstacles.slice(0, kinds).flat();
    const right = lowest("right", size, within, boxes), left = lowest("left", size, within, boxes);
    const place = left !== undefined && (right === undefined || left.bottom < right.bottom) ? left : right;
    if (place !== undefined) return place;
  }
  return { side: "right", bottom: EDGE };
}

/**
 * Elements that a message must not cover, the most important first: bars that stay in sight and dialogs, then all that
 * can be clicked.
 */
const KEPT_CLEAR = [
  ".bulk, dialog[open] button",
  "main :is(button, a.button, input, select, textarea, summary)",
] as const;

/** The boxes of what matches, as far as they are in the window. */
const boxesOf = (selector: string) =>
  [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect())
    .filter((box) => box.width > 0 && box.bottom > 0 && box.top < innerHeight);

/** Puts the messages where they cover nothing that can be clicked. */
function place(element: HTMLElement): void {
  const { width, height } = element.getBoundingClientRect();
  const { side, bottom } = clearPlace(
    { width, height },
    { width: innerWidth, height: innerHeight },
    KEPT_CLEAR.map(boxesOf),
  );
  element.dataset.side = side;
  element.style.setProperty("--toasts-bottom", `${bottom}px`);
}

/** Ends what keeps the messages that were shown before clear. */
let before = new AbortController();

/** Keeps messages off what can be clicked as long as they are shown, also off a bar that comes later. */
export function keepClear(element: HTMLElement): void {
  before.abort();
  const shown = before = new AbortController(), { signal } = shown;
  place(element);
  let asked = 0;
  const again = () => {
    cancelAnimationFrame(asked);
    if (!element.matches(":popover-open")) return shown.abort();
    asked = requestAnimationFrame(() => place(element));
  };
  const bars = new MutationObserver(again);
  for (const root of document.querySelectorAll("main")) {
    bars.observe(root, { childList: true, characterData: true, subtree: true });
  }
  // A bar that sticks to the window's edge leaves it where the page ends
  for (const event of ["resize", "scroll"]) {
    addEventListener(event, again, { capture: true, passive: true, signal });
  }
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(asked);
    bars.disconnect();
  });
}
