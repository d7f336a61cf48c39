/**
 * Takes OSC 52 out of what a guest writes: with it a guest would read or replace the clipboard of whoever looks
 * (RELIABILITY, threat 16). Everything else is the terminal's business, as on any serial line. Pure.
 * Source: XTerm Control Sequences, "Operating System Commands".
 */

const ESCAPE = 0x1b, BRACKET = 0x5d, SEMICOLON = 0x3b, BACKSLASH = 0x5c;
const BELL = 0x07, CANCEL = 0x18, SUBSTITUTE = 0x1a;
const CLIPBOARD = 52;
/** Digits of a number that are held back: with zeroes before it, 52 is still 52. */
const MOST_DIGITS = 32;

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

export class ClipboardFilter {
  #state: "text" | "escape" | "number" | "drop" | "dropEscape" = "text";
  #digits = "";

  /** The bytes that may be shown. The start of a sequence is held back until its kind is clear. */
  read(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const shown: number[] = [];
    for (const byte of bytes) this.#take(byte, shown);
    return Uint8Array.from(shown);
  }

  #take(byte: number, shown: number[]): void {
    switch (this.#state) {
      case "text":
        if (byte === ESCAPE) this.#state = "escape";
        else shown.push(byte);
        return;
      case "escape":
        if (byte === BRACKET) {
          this.#state = "number";
          this.#digits = "";
          return;
        }
        shown.push(ESCAPE);
        this.#state = "text";
        return this.#take(byte, shown);
      case "number":
        if (isDigit(byte) && this.#digits.length < MOST_DIGITS) {
          this.#digits += String.fromCharCode(byte);
          return;
        }
        if (byte === SEMICOLON && Number(this.#digits) === CLIPBOARD) {
          this.#state = "drop";
          return;
        }
        shown.push(ESCAPE, BRACKET, ...new TextEncoder().encode(this.#digits));
        this.#state = "text";
        return this.#take(byte, shown);
      case "drop":
        if (byte === ESCAPE) this.#state = "dropEscape";
        else if (byte === BELL || byte === CANCEL || byte === SUBSTITUTE) this.#state = "text";
        return;
      case "dropEscape":
        this.#state = "text";
        if (byte === BACKSLASH) return;
        // An escape ends the sequence, and begins another.
        this.#state = "escape";
        return this.#take(byte, shown);
    }
  }
}
