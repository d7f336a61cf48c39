/** Key names that people and programs write → Linux key codes. */
import { LINUX_KEYS } from "./linux.ts";

/** Names that keyboards and people use, in addition to Linux' own. Lower case → Linux name. */
const ALIASES: ReadonlyMap<string, keyof typeof LINUX_KEYS> = new Map([
  ["ctrl", "LEFTCTRL"],
  ["control", "LEFTCTRL"],
  ["alt", "LEFTALT"],
  ["altgr", "RIGHTALT"],
  ["shift", "LEFTSHIFT"],
  ["win", "LEFTMETA"],
  ["super", "LEFTMETA"],
  ["meta", "LEFTMETA"],
  ["cmd", "LEFTMETA"],
  ["del", "DELETE"],
  ["ins", "INSERT"],
  ["escape", "ESC"],
  ["return", "ENTER"],
  ["pgup", "PAGEUP"],
  ["pgdn", "PAGEDOWN"],
  ["pgdown", "PAGEDOWN"],
  ["print", "SYSRQ"],
  ["printscreen", "SYSRQ"],
  ["break", "PAUSE"],
]);

/** The code of one name: `KEY_DELETE`, `delete` and `del` are one key. Case does not matter. */
export function keyCode(name: string): number | undefined {
  const plain = ALIASES.get(name.toLowerCase()) ?? name.toUpperCase().replace(/^KEY_/, "");
  return Object.hasOwn(LINUX_KEYS, plain) ? LINUX_KEYS[plain as keyof typeof LINUX_KEYS] : undefined;
}

/** Keys of one press, or the first name that is no key. */
export type Chord = { readonly codes: readonly number[] } | { readonly unknown: string };

/**
 * Reads the keys of one press. A name may be several joined by `+`.
 *
 * @example
 * ```ts
 * chordOf(["ctrl+alt+delete"]); // { codes: [29, 56, 111] }, the same as
 * chordOf(["KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_DELETE"]);
 * ```
 */
export function chordOf(names: readonly string[]): Chord {
  const codes: number[] = [];
  for (const name of names.flatMap((each) => each.split("+"))) {
    const code = keyCode(name.trim());
    if (code === undefined) return { unknown: name.trim() };
    if (!codes.includes(code)) codes.push(code);
  }
  return { codes };
}
