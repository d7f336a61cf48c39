/** The way out of an element that takes every key: Ctrl and Alt, pressed together and let go without another key. */

/** Whether a key is one of the two. */
const isPart = (key: string) => key === "Control" || key === "Alt";

/** Watches an element. @returns stops watching */
export function keyboardEscape(element: HTMLElement, leave: () => void): () => void {
  const down = new Set<string>();
  let isArmed = false;
  const onKey = (event: KeyboardEvent) => {
    const isDown = event.type === "keydown";
    if (!isPart(event.key)) {
      isArmed = false;
      return;
    }
    if (isDown) {
      down.add(event.key);
      // AltGr is Ctrl+Alt on Windows: it types, and leads nowhere.
      isArmed = down.size === 2 && !event.getModifierState("AltGraph");
      return;
    }
    down.delete(event.key);
    if (isArmed) queueMicrotask(leave);
    isArmed = false;
  };
  const forget = () => {
    down.clear();
    isArmed = false;
  };
  // Before noVNC, which keeps every key to itself.
  const capture = { capture: true };
  element.addEventListener("keydown", onKey, capture);
  element.addEventListener("keyup", onKey, capture);
  element.addEventListener("blur", forget, capture);
  return () => {
    element.removeEventListener("keydown", onKey, capture);
    element.removeEventListener("keyup", onKey, capture);
    element.removeEventListener("blur", forget, capture);
  };
}
