/**
 * Makes lib/formats/keymaps/layouts.ts: what each key writes, of the keyboards that machines have, as xkeyboard-config has it
 * (Debian: libxkbcommon0, xkb-data). To be run again when a keyboard is to be added.
 */
import { join } from "node:path";
import { PROJECT } from "./project.ts";

/** Keyboards: the name of the layout in xkeyboard-config → what it is called. */
const KEYBOARDS = {
  us: "English (US)",
  gb: "English (UK)",
  be: "Belgian",
  br: "Portuguese (Brazil)",
  ch: "German (Switzerland)",
  "ch(fr)": "French (Switzerland)",
  cz: "Czech",
  de: "German",
  dk: "Danish",
  ee: "Estonian",
  es: "Spanish",
  fi: "Finnish",
  fr: "French",
  hr: "Croatian",
  hu: "Hungarian",
  is: "Icelandic",
  it: "Italian",
  jp: "Japanese",
  latam: "Spanish (Latin America)",
  lt: "Lithuanian",
  lv: "Latvian",
  nl: "Dutch",
  no: "Norwegian",
  pl: "Polish",
  pt: "Portuguese",
  ro: "Romanian",
  ru: "Russian",
  se: "Swedish",
  si: "Slovenian",
  sk: "Slovak",
  tr: "Turkish",
  ua: "Ukrainian",
} as const;

/** Places on the keyboard (UI Events `code`) → evdev's key code, which xkb counts from 8. */
const PLACES: readonly (readonly [string, number])[] = [
  ["Backquote", 41],
  ...Array.from({ length: 10 }, (_, at) => [`Digit${(at + 1) % 10}`, 2 + at] as const),
  ["Minus", 12],
  ["Equal", 13],
  ...[..."QWERTYUIOP"].map((letter, at) => [`Key${letter}`, 16 + at] as const),
  ["BracketLeft", 26],
  ["BracketRight", 27],
  ["Backslash", 43],
  ...[..."ASDFGHJKL"].map((letter, at) => [`Key${letter}`, 30 + at] as const),
  ["Semicolon", 39],
  ["Quote", 40],
  ["IntlBackslash", 86],
  ...[..."ZXCVBNM"].map((letter, at) => [`Key${letter}`, 44 + at] as const),
  ["Comma", 51],
  ["Period", 52],
  ["Slash", 53],
  ["IntlRo", 89],
  ["IntlYen", 124],
];

/** X11's keysyms of dead keys → the combining character they put on the next. Source: keysymdef.h. */
const DEAD: ReadonlyMap<number, string> = new Map([
  [0xfe50, "\u0300"],
  [0xfe51, "\u0301"],
  [0xfe52, "\u0302"],
  [0xfe53, "\u0303"],
  [0xfe54, "\u0304"],
  [0xfe55, "\u0306"],
  [0xfe56, "\u0307"],
  [0xfe57, "\u0308"],
  [0xfe58, "\u030a"],
  [0xfe59, "\u030b"],
  [0xfe5a, "\u030c"],
  [0xfe5b, "\u0327"],
  [0xfe5c, "\u0328"],
]);

const library = Deno.dlopen("libxkbcommon.so.0", {
  xkb_context_new: { parameters: ["i32"], result: "pointer" },
  xkb_keymap_new_from_names: { parameters: ["pointer", "buffer", "i32"], result: "pointer" },
  xkb_keymap_key_get_syms_by_level: {
    parameters: ["pointer", "u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  xkb_keysym_to_utf32: { parameters: ["u32"], result: "u32" },
  xkb_keymap_unref: { parameters: ["pointer"], result: "void" },
});
const { symbols } = library;
const context = symbols.xkb_context_new(0);

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);
const addressOf = (bytes: Uint8Array<ArrayBuffer>) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));

/**
 * Characters of a key alone, with Shift, with AltGr, and with both; a blank if it writes none, or more than one
 * character.
 */
function levelsOf(layout: string): string[] {
  const [, name = "", variant = ""] = /^(\w+)(?:\((\w+)\))?$/.exec(layout) ?? [];
  // struct xkb_rule_names: rules, model, layout, variant, options
  const texts = ["evdev", "pc105", name, variant, ""].map(cString);
  const names = new BigUint64Array(texts.map(addressOf));
  const keymap = symbols.xkb_keymap_new_from_names(context, names, 0);
  if (keymap === null) throw new Error(`there is no keyboard ${layout}`);
  const out = new BigUint64Array(1);
  const levels = [0, 1, 2, 3].map((level) =>
    PLACES.map(([, code]) => {
      if (symbols.xkb_keymap_key_get_syms_by_level(keymap, code + 8, 0, level, out) !== 1) return " ";
      const keysym = new Deno.UnsafePointerView(Deno.UnsafePointer.create(out[0]!)!).getUint32();
      const dead = DEAD.get(keysym);
      if (dead !== undefined) return dead;
      const character = symbols.xkb_keysym_to_utf32(keysym);
      return character > 0x20 && character !== 0x7f ? String.fromCodePoint(character) : " ";
    }).join("")
  );
  symbols.xkb_keymap_unref(keymap);
  return levels;
}

/** As it stands in a source: dead keys and blanks that are none are escaped. */
const quoted = (text: string) =>
  JSON.stringify(text.trimEnd()).replace(
    /[\u0300-\u036f\u00a0\u00ad\u2000-\u200f\u2010\u2011]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const entries = Object.entries(KEYBOARDS).map(([layout, name]) =>
  `  ${JSON.stringify(layout)}: [${JSON.stringify(name)}, ${levelsOf(layout).map(quoted).join(", ")}],`
);
await Deno.writeTextFile(
  join(PROJECT, "lib/formats/keymaps/layouts.ts"),
  `/** Characters that the keys of a keyboard write. Made by scripts/keyboards.ts from xkeyboard-config. */

/** The keys, by their places (UI Events \`code\`). */
export const PLACES = ${JSON.stringify(PLACES.map(([place]) => place).join(" "))}.split(" ");

/** Name, then for each of those keys what it writes alone, with Shift, with AltGr, with both: combining for a dead key. */
// deno-fmt-ignore -- a table
export const LAYOUTS = {
${entries.join("\n")}
} as const satisfies Readonly<Record<string, readonly [name: string, ...levels: string[]]>>;
`,
);
library.close();
