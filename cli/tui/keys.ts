/** Bytes of a terminal as keys, clicks and pasted texts. Pure. Sources: ECMA-48; XTerm Control Sequences. */

/** Input of a user. */
export type Typed =
  | { readonly kind: "key"; readonly key: string }
  | {
    readonly kind: "mouse";
    readonly button: "left" | "wheel-up" | "wheel-down";
    readonly x: number;
    readonly y: number;
  }
  | { readonly kind: "paste"; readonly text: string };

const key = (name: string): Typed => ({ kind: "key", key: name });

/** Last byte of a sequence → key. */
const FINAL: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "shift+tab",
};
/** Number before `~` → key. */
const NUMBERED: Readonly<Record<string, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "page-up",
  6: "page-down",
  7: "home",
  8: "end",
};
/** Control characters with a name of their own. */
const CONTROLS: Readonly<Record<number, string>> = {
  8: "backspace",
  9: "tab",
  10: "enter",
  13: "enter",
  127: "backspace",
};

const ESC = "\x1b", PASTE_END = "\x1b[201~";
/** Characters that a sequence, or a pasted text, may have: what goes on is thrown away. */
const LONGEST_SEQUENCE = 64, LONGEST_PASTE = 64 * 1024;

/** Reads what is typed, piece by piece. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #pasted: string | null = null;

  /** Whether a sequence has begun: an Esc key alone looks like that. */
  get isWaiting(): boolean {
    return this.#rest !== "" && this.#pasted === null;
  }

  /** Keys in these bytes. A sequence that is cut off waits for the rest. */
  read(bytes: Uint8Array): Typed[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    return [...this.#take()];
  }

  /** Nothing came after what waits: it is the Esc key, and what was typed after it. */
  flush(): Typed[] {
    if (!this.isWaiting) return [];
    const text = this.#rest.slice(1);
    this.#rest = "";
    return [key("esc"), ...[...text].flatMap((each) => this.#plain(each))];
  }

  *#take(): Generator<Typed> {
    while (this.#rest !== "") {
      if (this.#pasted !== null) {
        const found = this.#paste();
        if (found === null) return;
        yield found;
        continue;
      }
      const first = String.fromCodePoint(this.#rest.codePointAt(0)!);
      if (first !== ESC) {
        this.#rest = this.#rest.slice(first.length);
        yield* this.#plain(first);
        continue;
      }
      const sequence = this.#sequence();
      if (sequence === null) return;
      yield* sequence;
    }
  }

  /** A pasted text up to its end; null while that has not come. */
  #paste(): Typed | null {
    const end = this.#rest.indexOf(PASTE_END);
    // The end itself may be cut off.
    const kept = end < 0 ? Math.max(0, this.#rest.length - PASTE_END.length + 1) : end;
    this.#pasted = (this.#pasted! + this.#rest.slice(0, kept)).slice(0, LONGEST_PASTE);
    this.#rest = this.#rest.slice(end < 0 ? kept : end + PASTE_END.length);
    if (end < 0) return null;
    const text = this.#pasted;
    this.#pasted = null;
    return { kind: "paste", text };
  }

  #plain(character: string): Typed[] {
    const code = character.codePointAt(0)!;
    if (code === 0x1b) return [key("esc")];
    if (Object.hasOwn(CONTROLS, code)) return [key(CONTROLS[code]!)];
    if (code >= 1 && code <= 26) return [key(`ctrl+${String.fromCharCode(code + 96)}`)];
    return code < 32 || (code >= 0x80 && code < 0xa0) ? [] : [key(character)];
  }

  /** Keys of a sequence; null while it is incomplete. */
  #sequence(): Typed[] | null {
    // deno-lint-ignore no-control-regex -- a sequence begins with one
    const control = /^\x1b\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])/.exec(this.#rest);
    // deno-lint-ignore no-control-regex -- as above
    const single = /^\x1bO([\x40-\x7e])/.exec(this.#rest);
    if (control !== null) {
      this.#rest = this.#rest.slice(control[0].length);
      return this.#meaning(control[1]!, control[2]!);
    }
    if (single !== null) {
      this.#rest = this.#rest.slice(single[0].length);
      return Object.hasOwn(FINAL, single[1]!) ? [key(FINAL[single[1]!]!)] : [];
    }
    // deno-lint-ignore no-control-regex -- as above
    if (/^\x1b(?:\[[\x20-\x3f]*|O)?$/.test(this.#rest) && this.#rest.length < LONGEST_SEQUENCE) return null;
    // No sequence: the Esc key, and others after it.
    this.#rest = this.#rest.slice(1);
    return [key("esc")];
  }

  #meaning(parameters: string, final: string): Typed[] {
    const [, button, x, y] = /^<(\d+);(\d+);(\d+)$/.exec(parameters) ?? [];
    if (button !== undefined && (final === "M" || final === "m")) {
      const at = { x: Number(x) - 1, y: Number(y) - 1 };
      if (button === "64") return [{ kind: "mouse", button: "wheel-up", ...at }];
      if (button === "65") return [{ kind: "mouse", button: "wheel-down", ...at }];
      return button === "0" && final === "M" ? [{ kind: "mouse", button: "left", ...at }] : [];
    }
    if (final === "~") {
      const [number = ""] = parameters.split(";");
      if (number === "200") {
        this.#pasted = "";
        return [];
      }
      return Object.hasOwn(NUMBERED, number) ? [key(NUMBERED[number]!)] : [];
    }
    return Object.hasOwn(FINAL, final) ? [key(FINAL[final]!)] : [];
  }
}
