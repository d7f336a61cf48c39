/** Keys by what they are called: the keysym (X11) and the place on the keyboard (UI Events `code`). */
import { LAYOUTS, PLACES } from "../keymaps/layouts.ts";

/** One key. */
export interface RfbKey {
  readonly keysym: number;
  readonly code: string;
}

const key = (keysym: number, code: string): RfbKey => ({ keysym, code });
const [CONTROL, ALT, SHIFT, META] = [
  key(0xffe3, "ControlLeft"),
  key(0xffe9, "AltLeft"),
  key(0xffe1, "ShiftLeft"),
  key(0xffeb, "MetaLeft"),
];
const functionKey = (number: number) => key(0xffbd + number, `F${number}`);

/** Keys that write no character, by their names in UI Events. */
export const NAMED_KEYS = {
  Escape: key(0xff1b, "Escape"),
  Backspace: key(0xff08, "Backspace"),
  Tab: key(0xff09, "Tab"),
  ArrowLeft: key(0xff51, "ArrowLeft"),
  ArrowUp: key(0xff52, "ArrowUp"),
  ArrowDown: key(0xff54, "ArrowDown"),
  ArrowRight: key(0xff53, "ArrowRight"),
  Home: key(0xff50, "Home"),
  End: key(0xff57, "End"),
  PageUp: key(0xff55, "PageUp"),
  PageDown: key(0xff56, "PageDown"),
  Insert: key(0xff63, "Insert"),
  Delete: key(0xffff, "Delete"),
  F1: functionKey(1),
  F2: functionKey(2),
  F3: functionKey(3),
  F4: functionKey(4),
  F5: functionKey(5),
  F6: functionKey(6),
  F7: functionKey(7),
  F8: functionKey(8),
  F9: functionKey(9),
  F10: functionKey(10),
  F11: functionKey(11),
  F12: functionKey(12),
} as const satisfies Readonly<Record<string, RfbKey>>;

/** Name of a key that writes no character. */
export type NamedKey = keyof typeof NAMED_KEYS;

/** The keys that are held while another is pressed. */
export const MODIFIERS = { control: CONTROL, alt: ALT, shift: SHIFT, meta: META } as const;

/** A key that is held while another is pressed. */
export type Modifier = keyof typeof MODIFIERS;

/** Keys that a browser or the desktop around it keeps for itself, as what is pressed together. */
export const SPECIAL_KEYS: readonly { readonly name: string; readonly keys: readonly RfbKey[] }[] = [
  { name: "Ctrl+Alt+Del", keys: [CONTROL, ALT, NAMED_KEYS.Delete] },
  { name: "Ctrl+Alt+Backspace", keys: [CONTROL, ALT, NAMED_KEYS.Backspace] },
  { name: "Esc", keys: [NAMED_KEYS.Escape] },
  { name: "Tab", keys: [NAMED_KEYS.Tab] },
  { name: "Alt+Tab", keys: [ALT, NAMED_KEYS.Tab] },
  { name: "Alt+F4", keys: [ALT, functionKey(4)] },
  { name: "Win", keys: [META] },
  { name: "Win+L", keys: [META, key(0x6c, "KeyL")] },
  { name: "Print Screen", keys: [key(0xff61, "PrintScreen")] },
  { name: "Alt+SysRq+B", keys: [ALT, key(0xff15, "PrintScreen"), key(0x62, "KeyB")] },
  ...Array.from({ length: 12 }, (_, index) => ({
    name: `Ctrl+Alt+F${index + 1}`,
    keys: [CONTROL, ALT, functionKey(index + 1)],
  })),
];

const ALT_GRAPH = key(0xfe03, "AltRight");
/** Modifier keys of each level of a keyboard. */
const HELD: readonly (readonly RfbKey[])[] = [[], [SHIFT], [ALT_GRAPH], [SHIFT, ALT_GRAPH]];

/** Combining character of a dead key → the character it writes with the space bar. */
const SPACING: Readonly<Record<string, string>> = {
  "\u0300": "`",
  "\u0301": "´",
  "\u0302": "^",
  "\u0303": "~",
  "\u0304": "¯",
  "\u0306": "˘",
  "\u0307": "˙",
  "\u0308": "¨",
  "\u030a": "°",
  "\u030b": "˝",
  "\u030c": "ˇ",
  "\u0327": "¸",
  "\u0328": "˛",
};

/** A keyboard that a VM may have. */
export type KeyboardLayout = keyof typeof LAYOUTS;

/** X11's number of a character: Latin 1 as it is, others in the block for Unicode. */
function keysymOf(character: string): number {
  const codePoint = character.codePointAt(0)!;
  return codePoint < 0x100 ? codePoint : 0x0100_0000 + codePoint;
}

/** Keys for each character that a keyboard writes with one stroke, dead keys among them. */
function strokesOf(layout: KeyboardLayout): Map<string, readonly RfbKey[]> {
  const [, ...levels] = LAYOUTS[layout];
  const strokes = new Map<string, readonly RfbKey[]>([
    ["\n", [key(0xff0d, "Enter")]],
    ["\t", [NAMED_KEYS.Tab]],
    [" ", [key(0x20, "Space")]],
  ]);
  for (const [level, written] of levels.entries()) {
    for (const [at, character] of Array.from(written).entries()) {
      // The first is pressed most easily; a blank stands for a key that writes nothing.
      if (strokes.has(character)) continue;
      strokes.set(character, [
        ...HELD[level]!,
        key(keysymOf(SPACING[character] ?? character), PLACES[at]!),
      ]);
    }
  }
  return strokes;
}

/** Keys pressed together, one after another, and the characters the keyboard does not have. */
export interface KeySequence {
  readonly strokes: readonly (readonly RfbKey[])[];
  readonly untypable: readonly string[];
}

/** Characters of a keyboard: those of one stroke, and those that dead keys write with the space bar. */
interface Keyboard {
  readonly single: ReadonlyMap<string, readonly RfbKey[]>;
  readonly dead: ReadonlyMap<string, readonly (readonly RfbKey[])[]>;
}

/** Keyboards that were asked for: a text is looked at again with each letter somebody writes. */
const keyboards = new Map<KeyboardLayout, Keyboard>();

function keyboardOf(layout: KeyboardLayout): Keyboard {
  const known = keyboards.get(layout);
  if (known !== undefined) return known;
  const single = strokesOf(layout);
  const dead = new Map(
    Object.entries(SPACING).flatMap(([combining, spacing]) => {
      const stroke = single.get(combining);
      return stroke === undefined ? [] : [[spacing, [stroke, single.get(" ")!]] as const];
    }),
  );
  const keyboard = { single, dead };
  keyboards.set(layout, keyboard);
  return keyboard;
}

/** How a text is typed on a VM's keyboard, with dead keys where needed. Line ends of any kind are Enter. */
export function typingOf(text: string, layout: KeyboardLayout = "us"): KeySequence {
  const { single, dead } = keyboardOf(layout);
  const accented = (character: string) => {
    const [base = "", combining = "", ...rest] = character.normalize("NFD");
    const [accent, letter] = [single.get(combining), single.get(base)];
    return accent === undefined || letter === undefined || rest.length > 0 ? undefined : [accent, letter];
  };
  const strokes: (readonly RfbKey[])[] = [];
  const untypable = new Set<string>();
  for (const character of text.normalize("NFC").replaceAll(/\r\n?/g, "\n")) {
    const one = single.get(character);
    const keys = one === undefined ? dead.get(character) ?? accented(character) : [one];
    if (keys === undefined) untypable.add(character);
    else strokes.push(...keys);
  }
  return { strokes, untypable: [...untypable] };
}
