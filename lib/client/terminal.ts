/** A terminal in a page: xterm.js in the page's colours, under a policy that allows no inline style. Loaded when needed. */
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { type ITheme, Terminal } from "@xterm/xterm";
import { terminalKey } from "../console/terminal_keys.ts";
import type { Modifier, NamedKey } from "../formats/rfb/keys.ts";
import { copyText } from "./clipboard.ts";
import { styleSpansByObject, withoutStyleElements } from "./inline_styles.ts";

/** Lines kept above the screen. */
const SCROLLBACK = 5000;
/** Readable whatever colours the guest chooses: WCAG 2.2 AA. */
const CONTRAST = 4.5;

/** Uses of the stylesheet's colours: `data-ink` of a probe → key in the terminal's theme. */
const INKS = {
  background: "ground",
  foreground: "text",
  cursor: "accent",
  cursorAccent: "ground",
  selectionBackground: "selection",
  black: "black",
  red: "red",
  green: "green",
  yellow: "yellow",
  blue: "blue",
  magenta: "magenta",
  cyan: "cyan",
  white: "white",
  brightBlack: "faint",
  brightRed: "red",
  brightGreen: "green",
  brightYellow: "yellow",
  brightBlue: "blue",
  brightMagenta: "magenta",
  brightCyan: "cyan",
  brightWhite: "text",
} as const satisfies Partial<Record<keyof ITheme, string>>;

/** Escapes that are not obeyed: OSC 52 writes the clipboard, OSC 8 makes links of any text (RELIABILITY, threat 16). */
const DEAF_TO = [52, 8] as const;

/** A terminal on a page. */
export interface PageTerminal {
  write(bytes: Uint8Array): void;
  /** Writes a line of our own, apart from what the guest says. */
  note(text: string): void;
  clear(): void;
  focus(): void;
  blur(): void;
  /** Sends a key, as if it were pressed with those that are held. */
  press(key: NamedKey, held: ReadonlySet<Modifier>): void;
  /** All that was written, as text. */
  text(): string;
  find(text: string, backwards: boolean): boolean;
  /** Columns and rows. */
  size(): { cols: number; rows: number };
  paste(text: string): void;
  /** Reads the colours again: the theme changed. */
  recolour(): void;
  destroy(): void;
}

/** Options of a terminal, with its callbacks. */
export interface TerminalOptions {
  /** Name for assistive technology. */
  readonly label: string;
  readonly onData: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Makes what is sent of what a person has typed. */
  readonly typed: (text: string) => string;
  readonly onFocused: (focused: boolean) => void;
  readonly onResize: (size: { cols: number; rows: number }) => void;
  /** The person asked to leave the terminal by key: Tab belongs to the guest. */
  readonly onLeave: () => void;
}

/** Reads the stylesheet's colours: those of elements, since a custom property is text to a script. */
function themeOf(box: HTMLElement): ITheme {
  const theme: ITheme = {};
  for (const [place, ink] of Object.entries(INKS)) {
    const probe = document.createElement("i");
    probe.dataset.term = ink;
    box.append(probe);
    theme[place as keyof typeof INKS] = getComputedStyle(probe).color;
    probe.remove();
  }
  return theme;
}

/** One byte a character: what mouse reports of old kinds are made of. */
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

/** Makes a terminal in a box and keeps it as large as the box. */
export function openTerminal(box: HTMLElement, options: TerminalOptions): PageTerminal {
  styleSpansByObject();
  const terminal = new Terminal({
    scrollback: SCROLLBACK,
    minimumContrastRatio: CONTRAST,
    theme: themeOf(box),
    fontFamily: getComputedStyle(box).fontFamily,
    fontSize: 13,
    lineHeight: 1.15,
    cursorBlink: false,
    macOptionIsMeta: true,
    // Called for OSC 8 alone, which is not obeyed: without one xterm would ask, and open what the guest says.
    linkHandler: { activate: () => {} },
  });
  for (const code of DEAF_TO) terminal.parser.registerOscHandler(code, () => true);
  const fit = new FitAddon(), search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  withoutStyleElements(() => terminal.open(box));
  terminal.textarea?.setAttribute("aria-label", options.label);
  terminal.textarea?.addEventListener("focus", () => options.onFocused(true));
  terminal.textarea?.addEventListener("blur", () => options.onFocused(false));

  const encoder = new TextEncoder();
  // What begins with ESC are keys without a character, and answers to the guest
  terminal.onData((text) =>
    options.onData(encoder.encode(text.startsWith("\x1b") ? text : options.typed(text)))
  );
  terminal.onBinary((text) => options.onData(latin1(text)));
  terminal.onResize(options.onResize);
  const copy = () => {
    if (terminal.hasSelection()) void copyText(terminal.getSelection());
  };
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey) return true;
    if (event.code === "KeyE") options.onLeave();
    else if (event.code === "KeyC") copy();
    else return event.code !== "KeyV"; // the browser pastes
    event.preventDefault();
    return false;
  });
  // When the button is let go, not while text is being selected: copying may take the focus for a moment.
  box.addEventListener("mouseup", copy);
  fit.fit();
  const sizes = new ResizeObserver(() => fit.fit());
  sizes.observe(box);

  return {
    write: (bytes) => terminal.write(bytes),
    note: (text) => terminal.write(`\r\n\x1b[0;3m[${text}]\x1b[0m\r\n`),
    clear: () => {
      terminal.reset();
      terminal.clear();
    },
    focus: () => terminal.focus(),
    blur: () => terminal.blur(),
    press: (key, held) =>
      options.onData(encoder.encode(terminalKey(key, held, terminal.modes.applicationCursorKeysMode))),
    text: () => {
      const { normal } = terminal.buffer;
      const lines: string[] = [];
      for (let row = 0; row < normal.length; row++) {
        const line = normal.getLine(row);
        if (line === undefined) continue;
        const text = line.translateToString(true);
        if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
        else lines.push(text);
      }
      return lines.join("\n").trimEnd() + "\n";
    },
    find: (text, backwards) => backwards ? search.findPrevious(text) : search.findNext(text),
    size: () => ({ cols: terminal.cols, rows: terminal.rows }),
    paste: (text) => terminal.paste(text),
    recolour: () => {
      terminal.options.theme = themeOf(box);
    },
    destroy: () => {
      sizes.disconnect();
      box.removeEventListener("mouseup", copy);
      terminal.dispose();
    },
  };
}
