/** A text that is being typed, with its cursor. */
import type { Glyphs } from "./glyphs.ts";
import type { Span } from "./line.ts";
import { columnsOf } from "./width.ts";

/** Characters that may be typed or pasted. */
const LONGEST = 64 * 1024;

export class InputLine {
  #characters: string[] = [];
  #at = 0;

  constructor(text = "") {
    this.set(text);
  }

  get text(): string {
    return this.#characters.join("");
  }

  /** Replaces it; the cursor is behind it. */
  set(text: string): void {
    this.#characters = [...text].slice(0, LONGEST);
    this.#at = this.#characters.length;
  }

  /** Puts a text at the cursor. Lines become blanks: it is one line. */
  insert(text: string): void {
    const room = LONGEST - this.#characters.length;
    const added = [...text.replace(/[\r\n\t]+/g, " ")].slice(0, Math.max(0, room));
    this.#characters.splice(this.#at, 0, ...added);
    this.#at += added.length;
  }

  /** Takes a key. @returns whether it is one for a text */
  press(key: string): boolean {
    switch (key) {
      case "left":
        this.#at = Math.max(0, this.#at - 1);
        return true;
      case "right":
        this.#at = Math.min(this.#characters.length, this.#at + 1);
        return true;
      case "home":
      case "ctrl+a":
        this.#at = 0;
        return true;
      case "end":
      case "ctrl+e":
        this.#at = this.#characters.length;
        return true;
      case "backspace":
        if (this.#at > 0) this.#characters.splice(--this.#at, 1);
        return true;
      case "delete":
        this.#characters.splice(this.#at, 1);
        return true;
      case "ctrl+u":
        this.#characters.splice(0, this.#at);
        this.#at = 0;
        return true;
      case "ctrl+k":
        this.#characters.splice(this.#at);
        return true;
    }
    if ([...key].length !== 1) return false;
    this.insert(key);
    return true;
  }

  /** It with its cursor, in so many columns: the part that the cursor is in. @param isSecret shows no character of it */
  spans(columns: number, glyphs: Glyphs, isSecret = false): Span[] {
    const shown = isSecret ? this.#characters.map(() => glyphs.secret) : this.#characters;
    let from = this.#at, taken = 1;
    while (from > 0) {
      const next = columnsOf(shown[from - 1]!, glyphs);
      if (taken + next > columns) break;
      taken += next;
      from--;
    }
    return [
      { text: shown.slice(from, this.#at).join("") },
      { text: shown[this.#at] ?? " ", style: "cursor" },
      { text: shown.slice(this.#at + 1).join("") },
    ];
  }
}
