/** Keys as a terminal sends them (xterm's control sequences). */
import type { Modifier, NamedKey } from "../formats/rfb/keys.ts";

const ESC = "\x1b";

/** Keys that end in a letter: with the cursor keys in application mode, `ESC O` comes before it, else `ESC [`. */
const LETTERS: Partial<Record<NamedKey, string>> = {
  ArrowUp: "A",
  ArrowDown: "B",
  ArrowRight: "C",
  ArrowLeft: "D",
  Home: "H",
  End: "F",
};
/** F1 to F4, in both modes after `ESC O`. */
const FUNCTIONS: Partial<Record<NamedKey, string>> = { F1: "P", F2: "Q", F3: "R", F4: "S" };
/** Keys that are a number before `~`. */
const NUMBERS: Partial<Record<NamedKey, number>> = {
  Insert: 2,
  Delete: 3,
  PageUp: 5,
  PageDown: 6,
  F5: 15,
  F6: 17,
  F7: 18,
  F8: 19,
  F9: 20,
  F10: 21,
  F11: 23,
  F12: 24,
};

/** The modifiers as xterm's parameter: 1 where none is held. */
function parameterOf(held: ReadonlySet<Modifier>): number {
  return 1 + (held.has("shift") ? 1 : 0) + (held.has("alt") ? 2 : 0) + (held.has("control") ? 4 : 0);
}

/**
 * Sequence that a terminal sends for a key.
 *
 * @param application whether the guest has the cursor keys in application mode
 */
export function terminalKey(key: NamedKey, held: ReadonlySet<Modifier>, application: boolean): string {
  const parameter = parameterOf(held);
  if (key === "Escape") return withModifiers(ESC, held);
  if (key === "Backspace") return withModifiers("\x7f", held);
  if (key === "Tab") return held.has("shift") ? `${ESC}[Z` : withModifiers("\t", held);
  const letter = LETTERS[key] ?? FUNCTIONS[key];
  if (letter !== undefined) {
    if (parameter > 1) return `${ESC}[1;${parameter}${letter}`;
    return ESC + (application || FUNCTIONS[key] !== undefined ? "O" : "[") + letter;
  }
  return `${ESC}[${NUMBERS[key]}${parameter > 1 ? `;${parameter}` : ""}~`;
}

/**
 * Sequence that a terminal sends for typed text while modifiers are held: Ctrl makes a control character, Alt sends ESC
 * first.
 */
export function withModifiers(text: string, held: ReadonlySet<Modifier>): string {
  const [first = "", ...rest] = Array.from(text);
  const shifted = held.has("shift") ? first.toUpperCase() : first;
  const controlled = held.has("control") ? controlCharacter(shifted) : shifted;
  return (held.has("alt") ? ESC : "") + controlled + rest.join("");
}

/** The control character of a letter or one of `@ [ \ ] ^ _ ?` and the space bar; others stay as they are. */
function controlCharacter(character: string): string {
  if (character === " ") return "\0";
  if (character === "?") return "\x7f";
  const upper = character.toUpperCase();
  return /^[@-_]$/.test(upper) ? String.fromCharCode(upper.charCodeAt(0) & 0x1f) : character;
}
