/**
 * Escape in a search that filters while it is typed: takes the words away, and lets go of the box when there are none.
 * The browser's own Escape empties the box without telling anybody, so that the list stays filtered.
 */
export const clearOnEscape = (value: string, clear: () => void) =>
(
  event: KeyboardEvent & { currentTarget: HTMLInputElement },
): void => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  if (value === "") event.currentTarget.blur();
  else clear();
};
