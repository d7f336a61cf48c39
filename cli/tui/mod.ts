/** `kvm-manager tui`: the VMs in this terminal, as they are now. */
import { ownHelp } from "../own_help.ts";
import { message } from "../../lib/i18n/message.ts";
import { SOURCE_LOCALE, useLocale } from "../../lib/i18n/locale.ts";
import { optionsAlone } from "../arguments.ts";
import { serverOf } from "../connect/server.ts";
import { type Target, TARGET_OPTIONS, targetOf } from "../connect/target.ts";
import { EXIT } from "../exit.ts";
import { TERMINAL } from "../terminal.ts";
import { failed } from "../verb/failure.ts";
import { UsageError } from "../verb/values.ts";
import { TuiApp } from "./app.ts";
import { glyphsFor } from "./glyphs.ts";
import { Screen } from "./screen.ts";

export const TUI_HELP = () =>
  ownHelp({
    usage: "kvm-manager tui [OPTIONS]",
    about: [
      message`Shows the VMs, tasks and hosts in this terminal, as they are now: start, stop, kill, create and delete VMs, open their serial consoles, and carry out any other command (: or Ctrl+p). ? shows the keys. kvm-manager alone in a terminal is the same, where a server runs on this host.`,
    ],
    more: [
      message`NO_COLOR=1 leaves colours out. Without UTF-8 in the locale (LC_ALL, LC_CTYPE, LANG) it is in English, and frames are of ASCII.`,
    ],
    server: true,
    examples: ["kvm-manager tui", "kvm-manager tui --context kvm2"],
  });

/** Reads its arguments. @throws {UsageError} */
export function readTui(args: readonly string[]) {
  return { values: optionsAlone(args, TARGET_OPTIONS) };
}

/** Runs it; gives the exit status. */
export async function tuiCommand(args: readonly string[]): Promise<number> {
  try {
    const { values } = readTui(args);
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) throw new UsageError("this needs a terminal");
    if (Deno.env.get("TERM") === "dumb") {
      throw new UsageError("this terminal has no cursor to move (TERM=dumb). kvm-manager vm list needs none");
    }
    return await runTui(await targetOf(values));
  } catch (error) {
    return failed(error, ["tui"]);
  }
}

/** Exit statuses of the signals that end it, as a shell has them. */
const ENDS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;

/** Runs it on a server until it is left; the terminal is as it was then, whatever happened. */
export async function runTui(target: Target): Promise<number> {
  const screen = new Screen(), glyphs = glyphsFor((name) => Deno.env.get(name));
  // A terminal without UTF-8 shows the letters of English alone
  if (!glyphs.unicode) useLocale(() => SOURCE_LOCALE);
  const server = serverOf(target, (text) => app.say(text, "warn"));
  const app: TuiApp = new TuiApp(server, screen, {
    colours: TERMINAL.hasColours,
    glyphs,
  }, { suspend: () => Deno.kill(Deno.pid, "SIGTSTP") });
  let status: number = EXIT.done;
  for (const [signal, number] of Object.entries(ENDS)) {
    Deno.addSignalListener(signal as keyof typeof ENDS, () => {
      status = number;
      app.leave();
    });
  }
  Deno.addSignalListener("SIGWINCH", () => app.resized());
  Deno.addSignalListener("SIGCONT", () => app.continued());
  // Unexpected errors are printed after the screen is left, where they can be read.
  const crashed = (error: unknown) => {
    screen.leave();
    console.error("kvm-manager tui:", error);
    Deno.exit(EXIT.failed);
  };
  globalThis.addEventListener("unhandledrejection", (event) => crashed(event.reason));
  globalThis.addEventListener("error", (event) => crashed(event.error));
  try {
    await app.run();
  } finally {
    screen.leave();
  }
  // A read of the terminal that is still waiting would keep the process until the next key.
  Deno.exit(status);
}
