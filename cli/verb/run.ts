/** `kvm-manager vm start web1`: any command of the contract as a verb. */
import { SettingsError } from "../../agent/settings.ts";
import { ApiError } from "../../lib/client/api.ts";
import { exitStatus, type Server, serverAt, socketOf } from "../socket.ts";
import { findVerb, type Verb, verbsUnder } from "./find.ts";
import { groupHelp, verbHelp } from "./help.ts";
import { withIds } from "./names.ts";
import { type CommonValues, readArguments, UsageError } from "./options.ts";
import { type OutputFormat, OUTPUTS, rendered } from "./output.ts";

/** Milliseconds between two looks of `--watch`. */
const WATCH_MS = 2000;
/** Clears the screen and goes to its corner (ECMA-48). */
const CLEAR = "\x1b[2J\x1b[H";

/** What a verb does with the terminal it runs in; tests bring their own. */
export interface Terminal {
  readonly isTerminal: boolean;
  /** Asks; null at the end of the input. */
  ask(question: string): string | null;
  /** Everything on standard input. */
  input(): Promise<string>;
  wait(milliseconds: number): Promise<void>;
}

/** The process's own. */
export const TERMINAL: Terminal = {
  get isTerminal() {
    return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  },
  ask: (question) => prompt(question),
  input: () => new Response(Deno.stdin.readable).text(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

function formatOf({ output = "table" }: CommonValues): OutputFormat {
  const format = OUTPUTS.find((each) => each === output);
  if (format) return format;
  throw new UsageError(`--output is ${JSON.stringify(output)}; it must be one of ${OUTPUTS.join(", ")}`);
}

/** The fields given as JSON. @throws {UsageError} */
async function given({ input }: CommonValues, terminal: Terminal): Promise<Record<string, unknown>> {
  if (input === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(input === "-" ? await terminal.input() : input);
  } catch (error) {
    throw new UsageError(`--input is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError("--input must be a JSON object");
}

/** Whether to go on with what destroys something. @throws {UsageError} where nobody can be asked */
function confirmed({ command, words }: Verb, { yes = false }: CommonValues, terminal: Terminal): boolean {
  if (!command.destroys || yes) return true;
  if (!terminal.isTerminal) {
    throw new UsageError(`this would lose ${command.destroys}. Say --yes to go on without being asked`);
  }
  const answer = terminal.ask(`${words.join(" ")} loses ${command.destroys}. Type yes to go on:`);
  return answer?.trim().toLowerCase() === "yes";
}

async function print(
  server: Server,
  { name, command }: Verb,
  input: Record<string, unknown>,
  format: OutputFormat,
): Promise<string> {
  return rendered(await server.call(name, input), format, command.columns);
}

async function carryOut(verb: Verb, args: readonly string[], terminal: Terminal): Promise<number> {
  const { input: fields, common } = readArguments(verb.command, args);
  const format = formatOf(common);
  if (common.watch && !verb.command.readOnly) {
    throw new UsageError("--watch is for commands that change nothing");
  }
  using server = serverAt(socketOf(common));
  const input = await withIds(server, { ...await given(common, terminal), ...fields });
  if (!confirmed(verb, common, terminal)) {
    console.error("Nothing was done.");
    return 1;
  }
  for (;;) {
    const text = await print(server, verb, input, format);
    if (common.watch && terminal.isTerminal) console.log(CLEAR + text);
    else if (text !== "") console.log(text);
    if (!common.watch) return 0;
    await terminal.wait(WATCH_MS);
  }
}

/**
 * Carries out the verb a command line means.
 *
 * @returns the exit status; undefined when the line means no verb
 */
export async function runVerb(
  args: readonly string[],
  terminal: Terminal = TERMINAL,
): Promise<number | undefined> {
  const wantsHelp = args.some((arg) => arg === "--help" || arg === "-h");
  const options = args.findIndex((arg) => arg.startsWith("-"));
  const words = options < 0 ? args : args.slice(0, options);
  const found = findVerb(args);
  if (!found) {
    const group = words.length > 0 ? verbsUnder(words) : [];
    if (group.length === 0) return undefined;
    (wantsHelp ? console.log : console.error)(groupHelp(words, group));
    return wantsHelp ? 0 : 2;
  }
  const { verb, rest } = found;
  if (wantsHelp) {
    console.log(verbHelp(verb));
    return 0;
  }
  try {
    return await carryOut(verb, rest, terminal);
  } catch (error) {
    if (error instanceof UsageError || error instanceof SettingsError) {
      const line = ["kvm-manager", ...verb.words].join(" ");
      console.error(`${line}: ${error.message}. See ${line} --help`);
      return 2;
    }
    if (!(error instanceof ApiError)) throw error;
    console.error(`kvm-manager: ${error.message}`);
    return exitStatus(error);
  }
}
