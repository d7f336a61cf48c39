/** Keys by what they are called: the keysym (X11) and the place on the keyboard (UI Events `code`). */

/** One key. */
export interface Key {
  readonly keysym: number;
  readonly code: string;
}

const key = (keysym: number, code: string): Key => ({ keysym, code });
const [CONTROL, ALT, SHIFT] = [
  key(0xffe3, "ControlLeft"),
  key(0xffe9, "AltLeft"),
  key(0xffe1, "ShiftLeft"),
];
const functionKey = (number: number) => key(0xffbd + number, `F${number}`);

/** Keys that a browser or the desktop around it keeps for itself, as what is pressed together. */
export const SPECIAL_KEYS: readonly { readonly name: string; readonly keys: readonly Key[] }[] = [
  { name: "Ctrl+Alt+Del", keys: [CONTROL, ALT, key(0xffff, "Delete")] },
  { name: "Ctrl+Alt+Backspace", keys: [CONTROL, ALT, key(0xff08, "Backspace")] },
  { name: "Esc", keys: [key(0xff1b, "Escape")] },
  { name: "Tab", keys: [key(0xff09, "Tab")] },
  { name: "Alt+Tab", keys: [ALT, key(0xff09, "Tab")] },
  { name: "Alt+F4", keys: [ALT, functionKey(4)] },
  { name: "Win", keys: [key(0xffeb, "MetaLeft")] },
  { name: "Win+L", keys: [key(0xffeb, "MetaLeft"), key(0x6c, "KeyL")] },
  { name: "Print Screen", keys: [key(0xff61, "PrintScreen")] },
  { name: "Alt+SysRq+B", keys: [ALT, key(0xff15, "PrintScreen"), key(0x62, "KeyB")] },
  ...Array.from({ length: 12 }, (_, index) => ({
    name: `Ctrl+Alt+F${index + 1}`,
    keys: [CONTROL, ALT, functionKey(index + 1)],
  })),
];

/** A US keyboard's keys: what each writes alone, and with Shift. */
const ROWS: readonly [codes: readonly string[], plain: string, shifted: string][] = [
  [
    [
      "Backquote",
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 0].map((digit) => `Digit${digit}`),
      "Minus",
      "Equal",
      "BracketLeft",
      "BracketRight",
      "Backslash",
      "Semicolon",
      "Quote",
      "Comma",
      "Period",
      "Slash",
    ],
    "`1234567890-=[]\\;',./",
    '~!@#$%^&*()_+{}|:"<>?',
  ],
  [
    [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => `Key${letter}`),
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  ],
];

/** Character → what is pressed for it. */
const TYPED: ReadonlyMap<string, readonly Key[]> = new Map<string, readonly Key[]>([
  ["\n", [key(0xff0d, "Enter")]],
  ["\t", [key(0xff09, "Tab")]],
  [" ", [key(0x20, "Space")]],
  ...ROWS.flatMap(([codes, plain, shifted]) =>
    codes.flatMap((code, index): [string, readonly Key[]][] => [
      [plain[index]!, [key(plain.charCodeAt(index), code)]],
      [shifted[index]!, [SHIFT, key(shifted.charCodeAt(index), code)]],
    ])
  ),
]);

/** Keys pressed together, one after another, and the characters a US keyboard does not have. */
export interface Typing {
  readonly strokes: readonly (readonly Key[])[];
  readonly untypable: readonly string[];
}

/** How a text is typed on a US keyboard. Line ends of any kind are Enter. */
export function typingOf(text: string): Typing {
  const strokes: (readonly Key[])[] = [];
  const untypable = new Set<string>();
  for (const character of text.replaceAll(/\r\n?/g, "\n")) {
    const keys = TYPED.get(character);
    if (keys === undefined) untypable.add(character);
    else strokes.push(keys);
  }
  return { strokes, untypable: [...untypable] };
}
