/** The terminal as the UI has it: its other screen, raw keys, the mouse; and as it was, afterwards. */
import { writeAll } from "../../lib/write_all.ts";
import { difference } from "./paint.ts";

/** Columns and rows. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The other screen; no cursor; long lines end at the edge; clicks and the wheel, with places of any size (1000, 1006); pasted
 * texts are told as such (2004): none of them is taken for keys. Last, letters from right to left stay in their columns
 * (ECMA-48, 7.2.1: BDSM reset): a name cannot reverse the text next to it.
 */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[8l\x1b[2J";
const LEAVE = "\x1b[8h\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l";
/** Of a terminal that does not say it. */
const USUAL: Size = { columns: 80, rows: 24 };

const encoder = new TextEncoder();

/** Writes all of it, and waits until the terminal has it: for what must be there before something else happens. */
function writeNow(text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Whether an error says that the terminal is gone: its window was closed, its connection broke (EIO). */
export const isTerminalGone = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === "EIO";

/** The process's own terminal. */
export class Screen {
  #shown: string[] | null = null;
  #isEntered = false;
  #isRaw = false;
  #writing: Promise<void> | undefined;

  get isEntered(): boolean {
    return this.#isEntered;
  }

  get size(): Size {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  /** Takes the terminal, also one that somebody else has had meanwhile. */
  enter(): void {
    this.takeKeys();
    writeNow(ENTER);
    this.#isEntered = true;
    this.#shown = null;
  }

  /**
   * Gives the terminal back as it was. Called once more, it does nothing.
   *
   * @param keepsKeys keys stay raw, for a console
   */
  leave({ keepsKeys = false } = {}): void {
    const wasEntered = this.#isEntered;
    this.#isEntered = false;
    try {
      if (wasEntered) writeNow(LEAVE);
      if (!keepsKeys && this.#isRaw) this.#giveKeys();
    } catch (error) {
      if (!isTerminalGone(error)) throw error; // one that is gone needs nothing
    }
  }

  /** Keys come one by one, also where somebody else has changed that meanwhile. */
  takeKeys(): void {
    // Set twice, what was set first would be taken for how the terminal was.
    if (this.#isRaw) this.#giveKeys();
    Deno.stdin.setRaw(true);
    this.#isRaw = true;
  }

  #giveKeys(): void {
    Deno.stdin.setRaw(false);
    this.#isRaw = false;
  }

  /**
   * Goes on below all that stands on the screen: what a console has left there stays readable. The sequences that switch off
   * what a guest switched on put the cursor back to where it was before.
   */
  goBelow(): void {
    writeNow("\x1b[999;1H\r\n");
  }

  /** Forgets what stands there: all of it is drawn by the next frame. */
  forget(): void {
    this.#shown = null;
  }

  /** Whether a frame is on its way: a terminal that is slow, or stopped by Ctrl+S, gets the newest one then. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /** Draws a frame: rows that are painted. Resolves when the terminal has taken it. */
  async draw(rows: readonly string[]): Promise<void> {
    if (!this.#isEntered) return;
    const text = difference(this.#shown, rows);
    this.#shown = [...rows];
    if (text === "") return;
    this.#writing = writeAll(Deno.stdout, encoder.encode(text));
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Waits until no frame is on its way. */
  async idle(): Promise<void> {
    await this.#writing;
  }
}
