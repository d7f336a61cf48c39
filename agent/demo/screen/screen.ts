/** Screens of the demo's guests: a text console, or a Windows that is locked. */
import { Canvas, type Colour, LETTER } from "./picture.ts";
import { DemoTerminal, type TerminalGuest } from "./terminal.ts";
import { SYSTEMS } from "../world/systems.ts";

/** Letters in a row, and rows, of a text console. */
const COLUMNS = 128, ROWS = 38;
/** Pixels of every screen. */
export const SCREEN = { width: COLUMNS * LETTER.width, height: ROWS * LETTER.height + 8 } as const;

const BLACK: Colour = [12, 12, 14], GREY: Colour = [204, 204, 204], GREEN: Colour = [78, 201, 120];
const WHITE: Colour = [255, 255, 255];

/** X11's keysyms of keys without a letter → what terminals send. */
const KEYS: Readonly<Record<number, string>> = {
  0xff08: "\x7f",
  0xff0d: "\r",
  0xff8d: "\r",
};

/** Content of a screen, which may change. */
export interface DemoScreen {
  /** Rises with each change. */
  readonly version: number;
  draw(): Canvas;
  /** A key was pressed. @param keysym X11's number of it */
  press(keysym: number, withControl: boolean): void;
}

class TextScreen implements DemoScreen {
  version = 0;
  readonly #terminal: DemoTerminal;
  #rows: string[] = [""];

  constructor(facts: TerminalGuest) {
    this.#terminal = new DemoTerminal(facts);
    this.#write(this.#terminal.greeting().replaceAll("ttyS0", "tty1"));
  }

  #write(text: string): void {
    for (const each of text) {
      const last = this.#rows.length - 1, row = this.#rows[last]!;
      if (each === "\n") this.#rows.push("");
      else if (each === "\b") this.#rows[last] = row.slice(0, -1);
      else if (each >= " ") {
        if (row.length >= COLUMNS) this.#rows.push(each);
        else this.#rows[last] = row + each;
      }
    }
    this.#rows = this.#rows.slice(-ROWS);
    this.version++;
  }

  press(keysym: number, withControl: boolean): void {
    const letter = KEYS[keysym] ?? (keysym >= 32 && keysym < 127 ? String.fromCharCode(keysym) : undefined);
    if (letter === undefined) return;
    // A backspace of the terminal is a blank between two steps back
    const typed = withControl ? String.fromCharCode(keysym & 31) : letter;
    this.#write(this.#terminal.type(typed).replaceAll("\b \b", "\b"));
  }

  draw(): Canvas {
    const picture = new Canvas(SCREEN.width, SCREEN.height);
    picture.fill(0, 0, SCREEN.width, SCREEN.height, BLACK);
    this.#rows.forEach((row, index) => {
      const y = 4 + index * LETTER.height, isStatus = row.startsWith("[  OK  ]");
      picture.text(4, y, row, GREY);
      if (isStatus) picture.text(4 + 3 * LETTER.width, y, "OK", GREEN);
    });
    const last = this.#rows.at(-1)!;
    const y = 4 + (this.#rows.length - 1) * LETTER.height;
    picture.fill(4 + last.length * LETTER.width, y + 2, LETTER.width, LETTER.height - 3, GREY);
    return picture;
  }
}

/** A Windows that waits for somebody to sign in. */
class LockedScreen implements DemoScreen {
  readonly version = 0;

  constructor(private readonly facts: TerminalGuest) {}

  press(): void {}

  draw(): Canvas {
    const { width, height } = SCREEN, picture = new Canvas(width, height);
    picture.course([9, 54, 112], [52, 150, 214]);
    picture.disc(width - 150, 90, 210, [126, 196, 240], 0.16);
    picture.disc(120, height + 40, 260, [4, 30, 74], 0.35);
    const date = new Date(this.facts.now());
    const clock = date.toTimeString().slice(0, 5);
    const day = date.toLocaleDateString("en", { weekday: "long", month: "long", day: "numeric" });
    const centred = (text: string, y: number, scale: number) =>
      picture.text(Math.round((width - text.length * LETTER.width * scale) / 2), y, text, WHITE, scale);
    centred(clock, 110, 6);
    centred(day, 222, 2);
    centred("Press Ctrl+Alt+Delete to unlock", height - 96, 1);
    centred(this.facts.vm.name.toUpperCase(), height - 60, 1);
    return picture;
  }
}

/** The screen of a guest. */
export const screenOf = (facts: TerminalGuest): DemoScreen =>
  SYSTEMS[facts.vm.system].family === "windows" ? new LockedScreen(facts) : new TextScreen(facts);
