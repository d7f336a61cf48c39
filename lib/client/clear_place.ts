/** Where messages fit in a window's corner without covering what can be clicked. */

/** A rectangle in CSS pixels, from the window's left and top. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Distances of a message from the window's edges; pixels. */
export interface Place {
  readonly side: "right" | "left";
  readonly bottom: number;
}

/** Pixels to the window's edge, and to what is not covered. */
const EDGE = 16, GAP = 8;

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** The place on one side, as low as it goes; undefined where there is none. */
function lowest(
  side: Place["side"],
  size: { readonly width: number; readonly height: number },
  within: { readonly width: number; readonly height: number },
  obstacles: readonly Box[],
): Place | undefined {
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

/** The lowest place that covers none of the obstacles, to the right where both sides are alike; the corner where there is none. */
export function clearPlace(
  ...args: Parameters<typeof lowest> extends [unknown, ...infer R] ? R : never
): Place {
  const right = lowest("right", ...args), left = lowest("left", ...args);
  if (right === undefined) return left ?? { side: "right", bottom: EDGE };
  return left !== undefined && left.bottom < right.bottom ? left : right;
}

/** What a message must not cover. */
const CLICKABLE = "main :is(button, a.button, input, select, textarea, summary), .bar, dialog[open] button";

/** Puts the messages where they cover nothing that can be clicked. */
export function keepClear(element: HTMLElement): void {
  const { width, height } = element.getBoundingClientRect();
  const obstacles = [...document.querySelectorAll(CLICKABLE)].map((each) => each.getBoundingClientRect())
    .filter((box) => box.width > 0 && box.bottom > 0 && box.top < innerHeight);
  const { side, bottom } = clearPlace(
    { width, height },
    { width: innerWidth, height: innerHeight },
    obstacles,
  );
  element.dataset.side = side;
  element.style.setProperty("--toasts-bottom", `${bottom}px`);
}
