/** The keys of the pages, for the help dialog. */
import type { palette } from "../../lib/i18n/en/palette.ts";
import type { PlainKeyOf } from "../../lib/i18n/mod.ts";

type PlainKey = PlainKeyOf<typeof palette>;

/** One key, or keys pressed together, and what it does. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly does: PlainKey;
}

export const SHORTCUTS: readonly { readonly title: PlainKey; readonly shortcuts: readonly Shortcut[] }[] = [
  {
    title: "keys.everywhere",
    shortcuts: [
      { keys: ["Ctrl", "K"], does: "keys.palette" },
      { keys: ["?"], does: "keys.help" },
      { keys: ["Esc"], does: "keys.escape" },
    ],
  },
  {
    title: "keys.list",
    shortcuts: [
      { keys: ["/"], does: "keys.search" },
      { keys: ["j"], does: "keys.down" },
      { keys: ["k"], does: "keys.up" },
      { keys: ["x"], does: "keys.select" },
      { keys: ["Shift", "x"], does: "keys.range" },
      { keys: ["Enter"], does: "keys.open" },
    ],
  },
];
