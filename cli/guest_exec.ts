/** `kvm-manager vm exec NAME -- PROGRAM`: runs a program in a VM's guest, as if it were here. */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import { EXEC_SECONDS, type ExecResult } from "../lib/contract/mod.ts";
import { writeAll } from "../lib/write_all.ts";
import { parsed } from "./arguments.ts";
import { ClipboardFilter } from "./clipboard_filter.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { type EachVm, forEachVm, linePrefixer } from "./each_vm.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

const USAGE = "kvm-manager vm exec NAME|UUID|PATTERN [OPTIONS] -- PROGRAM [ARGUMENT]…";

export const EXEC_HELP = () =>
  ownHelp({
    usage: USAGE,
    about: [
      message`Runs a program in a VM's guest through its agent, as the agent's user, and ends with its exit status.`,
      message`A pattern (web*, db[1-3]) runs it in each VM that fits: their names stand before the lines, and it ends with 1 where one of them fails.`,
    ],
    options: [["-i, --stdin", message`give it what this reads from standard input, up to about 128 KiB`], [
      "--env NAME=VALUE",
      message`a variable; may be given several times`,
    ], ["--seconds N", message`end it after so many; ${EXEC_SECONDS.usual}, at most ${EXEC_SECONDS.most}`]],
    server: true,
    examples: [
      "kvm-manager vm exec web1 -- uname -a",
      "kvm-manager vm exec 'web*' -- uptime",
      "kvm-manager vm exec web1 -- sh -c 'df -h | tail -1'",
    ],
  });

/** Standard input in Base64. */
async function standardInput(): Promise<string> {
  return (await new Response(Deno.stdin.readable).bytes()).toBase64();
}

/** Writes what a guest writes, as it comes; a terminal gets nothing that would change its clipboard. */
class Passer {
  readonly #filter: ClipboardFilter | undefined;
  readonly #lines: ReturnType<typeof linePrefixer> | undefined;

  /** @param name stands before each line; undefined for none */
  constructor(private readonly to: typeof Deno.stdout | typeof Deno.stderr, name: string | undefined) {
    this.#filter = to.isTerminal() ? new ClipboardFilter() : undefined;
    this.#lines = name === undefined ? undefined : linePrefixer(name);
  }

  async pass(base64: string): Promise<void> {
    const bytes = Uint8Array.fromBase64(base64), shown = this.#filter?.read(bytes) ?? bytes;
    await writeAll(this.to, this.#lines?.read(shown) ?? shown);
  }

  /** Ends the last line, where the names of VMs stand before lines. */
  async end(): Promise<void> {
    if (this.#lines !== undefined) await writeAll(this.to, this.#lines.end());
  }
}

/** Runs a program in one guest; gives its exit status. */
async function execIn(
  server: Server,
  input: Record<string, unknown>,
  { vmId, name, isOneOfSeveral }: EachVm,
) {
  const named = isOneOfSeveral ? name : undefined,
    say = isOneOfSeveral ? `${escapeControlCharacters(name)}: ` : "";
  const outputs = { stdout: new Passer(Deno.stdout, named), stderr: new Passer(Deno.stderr, named) };
  const { stdout, stderr, exitCode, timedOut, stdoutTruncated, stderrTruncated } = await server.follow(
    "guest_exec",
    { ...input, vmId },
    async (line) => {
      if (typeof line.stdout === "string") await outputs.stdout.pass(line.stdout);
      if (typeof line.stderr === "string") await outputs.stderr.pass(line.stderr);
    },
  ) as ExecResult;
  for (const [output, last] of [[outputs.stdout, stdout], [outputs.stderr, stderr]] as const) {
    await output.pass(last);
    await output.end();
  }
  if (stdoutTruncated || stderrTruncated) {
    console.error(
      `kvm-manager: ${say}${
        render(message`it wrote more than is kept: the rest is lost. Have it write to a file, and copy that.`)
      }`,
    );
  }
  if (timedOut) console.error(`kvm-manager: ${say}${t("shell.time_limit")}`);
  return exitCode;
}

/** Reads its arguments. @throws {UsageError} */
export function readExec(args: readonly string[]) {
  const { positionals: [name, command, ...rest], values } = parsed(args, {
    ...TARGET_OPTIONS,
    stdin: { type: "boolean", short: "i" },
    env: { type: "string", multiple: true },
    seconds: { type: "string" },
  });
  if (name === undefined || command === undefined) {
    throw new UsageError("give a VM's name, and the program behind --", USAGE);
  }
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !Number.isInteger(seconds)) {
    throw new UsageError("--seconds must be a number");
  }
  return { name, command, rest, seconds, values };
}

/** Runs a program in guests; gives its exit status. */
export async function execCommand(args: readonly string[]): Promise<number> {
  try {
    const { name, command, rest, seconds, values } = readExec(args);
    const server = serverOf(await targetOf(values));
    const input = {
      command,
      args: rest,
      encoding: "base64",
      ...(values.env !== undefined && { env: values.env }),
      ...(seconds !== undefined && { seconds }),
      ...(values.stdin && { stdin: await standardInput() }),
    };
    return await forEachVm(server, name, (vm) => execIn(server, input, vm));
  } catch (error) {
    return failed(error, ["vm", "exec"]);
  }
}
