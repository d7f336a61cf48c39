/** The row of keys under a console, for what the keyboard of a phone does not have. */
import type { NamedKey } from "../formats/rfb/keys.ts";

/** Keys that are always in the row. */
export const ROW = [
  "Escape",
  "Tab",
  "ArrowLeft",
  "ArrowUp",
  "ArrowDown",
  "ArrowRight",
] as const satisfies readonly NamedKey[];

/** Keys that the row shows when it is opened. */
export const MORE = [
  ...["Home", "End", "PageUp", "PageDown", "Insert", "Delete"] as const,
  ...["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"] as const,
] as const satisfies readonly NamedKey[];
