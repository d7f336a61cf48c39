/** A program in a terminal that can be looked at: a session of tmux, with a server of its own. */
import { run } from "./process.ts";
import { until, type WaitOptions } from "./wait.ts";

/** How a terminal is. */
export interface TmuxOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Environment of the program in addition to tmux's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Said when the program has ended, with the state of the terminal after it. */
const ENDED = "ENDED-WITH";
/** Runs the program as a shell's job, so that it can be stopped and come back. */
const SHELL =
  `"$@"; echo "${ENDED} $? $(stty -a | grep -ow -e '-\\?icanon' -e '-\\?echo' | tr '\\n' ' ')"; exec sh -i`;

/** A terminal with a program. Disposing of it ends both. */
export class Tmux implements AsyncDisposable {
  private constructor(private readonly socket: string) {}

  static async start(
    argv: readonly string[],
    { columns = 80, rows = 24, env = {} }: TmuxOptions = {},
  ): Promise<Tmux> {
    const terminal = new Tmux(`kvmm-test-${crypto.randomUUID().slice(0, 8)}`);
    const given = Object.entries({ LANG: "C.UTF-8", ...env }).map(([name, value]) => `${name}=${value}`);
    await terminal.#tmux(
      "-f",
      "/dev/null",
      "-u",
      "new-session",
      "-d",
      "-s",
      "it",
      "-x",
      String(columns),
      "-y",
      String(rows),
      ...["env", "-u", "NO_COLOR", "-u", "LC_ALL", ...given, "sh", "-c", SHELL, "sh", ...argv],
    );
    return terminal;
  }

  /** Presses keys, by tmux's names: `Enter`, `C-p`, `a`. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#tmux("send-keys", "-t", "it", key);
  }

  /** Types a text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-t", "it", "-l", text);
  }

  /** Pastes a text, as such where the program asks for it. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", "--", text);
    await this.#tmux("paste-buffer", "-p", "-t", "it");
  }

  /** Content of the screen. @param attributes with the sequences of colours and styles */
  async screen({ attributes = false } = {}): Promise<string> {
    return await this.#tmux("capture-pane", "-p", ...(attributes ? ["-e"] : []), "-t", "it");
  }

  /** A value of the pane, by tmux's format: `pane_title`, `alternate_on`, `mouse_any_flag`, `cursor_flag`. */
  async value(format: string): Promise<string> {
    return (await this.#tmux("display-message", "-p", "-t", "it", `#{${format}}`)).trim();
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-t", "it", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until the screen shows something, and gives it. */
  async shows(wanted: string | RegExp, options: WaitOptions = {}): Promise<string> {
    let last = "";
    return await until(`${wanted} on the screen`, async () => {
      last = await this.screen();
      const isThere = typeof wanted === "string" ? last.includes(wanted) : wanted.test(last);
      return isThere ? last : undefined;
    }, { seconds: 30, every: 50, lastSeen: () => `\n${last}`, ...options });
  }

  /** Waits until the program has ended: its exit status, and whether the terminal is as a shell needs it. */
  async ended(): Promise<{ status: number; isCooked: boolean; isPlain: boolean }> {
    const screen = await this.shows(new RegExp(`${ENDED} \\d+`));
    const [, status = "", modes = ""] = new RegExp(`${ENDED} (\\d+) (.*)`).exec(screen)!;
    return {
      status: Number(status),
      isCooked: modes.trim() === "icanon echo",
      isPlain: await this.isPlain(),
    };
  }

  /** Whether nothing of what a program switches on is on: the other screen, the mouse, a hidden cursor. */
  async isPlain(): Promise<boolean> {
    const [other, mouse, cursor] = await Promise.all(
      ["alternate_on", "mouse_any_flag", "cursor_flag"].map((each) => this.value(each)),
    );
    return other === "0" && mouse === "0" && cursor === "1";
  }

  /** Process id of what the shell runs: the program itself. */
  async pid(): Promise<number> {
    const shell = await this.value("pane_pid");
    return await until("the program's process", async () => {
      const children = await Deno.readTextFile(`/proc/${shell}/task/${shell}/children`);
      return Number(children.trim().split(" ")[0]) || undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {/* it has ended with its program */});
  }

  #tmux(...args: string[]): Promise<string> {
    return run(["tmux", "-L", this.socket, ...args]);
  }
}
