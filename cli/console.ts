/** `kvm-manager console NAME`: a VM's serial line in a terminal. */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import { CONSOLE_CLOSE, type ConsoleTicket } from "../lib/contract/mod.ts";
import { serverOf } from "./connect/server.ts";
import { openLine, talk } from "./console_line.ts";
import { TARGET_OPTIONS, targetOf, type TargetValues } from "./connect/target.ts";
import { parsed } from "./arguments.ts";
import { resolveIds } from "./verb/resolve_ids.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

export const CONSOLE_HELP = () =>
  ownHelp({
    usage: "kvm-manager console NAME|UUID [--line N] [--force] [OPTIONS]",
    about: [
      message`Opens a VM's serial console in this terminal. Ctrl+a t leaves it, Ctrl+a a sends Ctrl+a. Nothing to see? Press Enter. A serial line has no size: stty rows ROWS cols COLUMNS tells the guest's shell yours.`,
    ],
    options: [[
      "--line N",
      message`of several serial lines this one, from 0; the first that can be opened when left out`,
    ], ["--force", message`take the console over from another session`]],
    more: [
      message`Exit status: 0 left, or the VM stopped; 2 wrong usage; 3 the server is away; 4 no such VM; 5 the VM is off, has no serial line, or another session has (or took) the console; 1 any other.`,
    ],
    server: true,
  });

/** Exit status by the server's close code. */
const STATUS: Readonly<Record<number, number>> = {
  [CONSOLE_CLOSE.done]: 0,
  [CONSOLE_CLOSE.vmStopped]: 0,
  [CONSOLE_CLOSE.inUse]: 5,
  [CONSOLE_CLOSE.takenOver]: 5,
  [CONSOLE_CLOSE.revoked]: 6,
  // Going away (the server stops) and no goodbye at all: RFC 6455, 7.4.1
  1001: 3,
  1006: 3,
};

/** Reads its arguments. @throws {UsageError} */
export function readConsole(
  args: readonly string[],
): { name: string; force: boolean; line: number | undefined; target: TargetValues } {
  const { positionals, values } = parsed(args, {
    ...TARGET_OPTIONS,
    force: { type: "boolean" },
    line: { type: "string" },
  });
  if (values.line !== undefined && !/^\d{1,2}$/.test(values.line)) {
    throw new UsageError("--line must be the number of a serial line, from 0");
  }
  if (positionals.length !== 1) throw new UsageError("give one VM's name or UUID");
  const line = values.line === undefined ? undefined : Number(values.line);
  return { name: positionals[0]!, force: values.force ?? false, line, target: values };
}

/** Bytes typed into this terminal. */
async function* typed(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(16 * 1024);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

/** Opens a console; gives the exit status. */
export async function consoleCommand(args: readonly string[]): Promise<number> {
  try {
    const { name, force, line: wanted, target } = readConsole(args);
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) throw new UsageError("this needs a terminal");
    const server = serverOf(await targetOf(target));
    const input = await resolveIds(server, {
      vmId: name,
      kind: "serial",
      force,
      ...(wanted !== undefined && { line: wanted }),
    });
    const line = await openLine(server, await server.call("open_console", input) as ConsoleTicket);
    console.error(t("shell.console_open", { name: JSON.stringify(name) }));
    Deno.stdin.setRaw(true);
    const { code, reason } = await talk(line, typed()).finally(() => Deno.stdin.setRaw(false));
    console.error(reason === "" ? `\n${render(message`Left the console.`)}` : `\n${reason}`);
    // A read of the terminal that is still waiting would keep the process until the next key.
    Deno.exit(STATUS[code] ?? 1);
  } catch (error) {
    return failed(error, ["console"]);
  }
}
