/** The terminal a verb runs in; tests bring their own. */
import { UsageError } from "./verb/values.ts";

/** Terminal functions that a verb uses. */
export interface Terminal {
  /** Somebody is there to be asked, and to look. */
  readonly isTerminal: boolean;
  /** Colours are welcome on standard output. */
  readonly hasColours: boolean;
  /** Whether progress may be shown, and overwritten, on standard error. */
  readonly showsProgress: boolean;
  /** Asks; null at the end of the input. */
  ask(question: string): string | null;
  /** Asks for a secret, without showing it. @throws {UsageError} without a terminal */
  secret(question: string): Promise<string>;
  /** Everything on standard input. */
  input(): Promise<string>;
  /** To standard error, without a new line. */
  show(text: string): void;
  /** Aborted when what goes on by itself is to end; the process's own ends with the process. */
  readonly until: AbortSignal;
}

/** Reads a line without showing it. */
async function hidden(question: string): Promise<string> {
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  // First: what is typed at once, or pasted, would be shown otherwise
  Deno.stdin.setRaw(true);
  let text = "";
  try {
    Deno.stderr.writeSync(encoder.encode(question));
    const buffer = new Uint8Array(256);
    for (;;) {
      const count = await Deno.stdin.read(buffer);
      if (count === null) break;
      for (const character of decoder.decode(buffer.subarray(0, count), { stream: true })) {
        if (character === "\r" || character === "\n") return text;
        // Ctrl+C and Ctrl+D: in raw mode they are only characters.
        if (character === "\x03" || character === "\x04") throw new UsageError("it was not given");
        text = character === "\x7f" ? text.slice(0, -1) : text + character;
      }
    }
    return text;
  } finally {
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(encoder.encode("\n"));
  }
}

/** Colours: not where they are unwanted (no-color.org), nor where nothing can show them. */
const wantsColours = () =>
  Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR") && Deno.env.get("TERM") !== "dumb";

/** The process's own. */
export const TERMINAL: Terminal = {
  get isTerminal() {
    return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  },
  get hasColours() {
    return wantsColours();
  },
  get showsProgress() {
    return Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  },
  ask: (question) => prompt(question),
  secret: async (question) => {
    if (!Deno.stdin.isTerminal()) throw new UsageError("there is no terminal to ask on");
    return await hidden(question);
  },
  input: () => new Response(Deno.stdin.readable).text(),
  until: new AbortController().signal,
  show: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
};
