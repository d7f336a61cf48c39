/** Placing a popover next to what opened it. */

const GAP = 4;
const EDGE = 8;

/** A place on the screen to open at: a button's box, or the pointer. */
export interface Anchor {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Position for a box of this size: below the anchor and flush with its right side, or wherever it fits. */
export function popoverPlace(
  anchor: Anchor,
  size: { width: number; height: number },
  screen: { width: number; height: number },
): { left: number; top: number } {
  const left = Math.min(Math.max(EDGE, anchor.right - size.width), screen.width - size.width - EDGE);
  const below = anchor.bottom + GAP;
  const above = anchor.top - GAP - size.height;
  const fitsBelow = below + size.height <= screen.height - EDGE;
  const top = fitsBelow || above < EDGE ? Math.min(below, screen.height - size.height - EDGE) : above;
  return { left: Math.max(EDGE, left), top: Math.max(EDGE, top) };
}

/** Moves an open popover next to its anchor. */
export function place(popover: HTMLElement, anchor: Anchor): void {
  const { left, top } = popoverPlace(
    anchor,
    { width: popover.offsetWidth, height: popover.offsetHeight },
    { width: document.documentElement.clientWidth, height: innerHeight },
  );
  popover.style.inset = `${top}px auto auto ${left}px`;
  popover.style.margin = "0";
}

/** Moves the focus through a menu's entries: arrows, Home and End. */
export function menuKeys(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)')];
  const at = items.findIndex((item) => item === document.activeElement);
  const next: Record<string, number> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at <= 0 ? items.length : at) - 1,
    Home: 0,
    End: items.length - 1,
  };
  const to = next[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[to]?.focus();
}
